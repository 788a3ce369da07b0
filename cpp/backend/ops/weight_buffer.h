#pragma once

#include <optional>

#include "ggml-backend.h"
#include "kernels/packing.h"

// The seam to ggml's CPU backend: a buffer type that keeps weights packed, and the operations of the graph that we
// compute in ggml's place.
namespace winnow {

// Makes the buffer type known to ggml. Once per process, before the first model loads; later calls do nothing.
void InstallOperations();

// While one lives, models that this thread loads get their weights packed where they can be.
class PackWeights {
 public:
  explicit PackWeights(bool is_enabled);
  ~PackWeights();
  PackWeights(const PackWeights&) = delete;

 private:
  bool before_;
};

// How a tensor of ggml's is packed; nothing for the types that ggml's own kernels serve.
std::optional<kernels::WeightType> WeightTypeOf(const ggml_tensor* tensor);

// Whether a tensor lies in a buffer of ours.
bool IsPacked(const ggml_tensor* tensor);

// k of the widest product that was packed so far in this process.
int MaxInputs();

}  // namespace winnow
