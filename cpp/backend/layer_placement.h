#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

// Which layers of a model GPUs take. Decided before llama.cpp allocates: a device that is full half way through a load
// ends it with an error that says nothing about what would fit.
namespace winnow {

struct Device {
  std::string name;         // CUDA0, Metal, …
  std::string description;  // The product's name.
  int64_t free_bytes = 0;
  int64_t total_bytes = 0;
};

// Bytes. Layers are those of the transformer, the first one first.
struct LayerSizes {
  std::vector<int64_t> layers;  // Of each: weights and its part of the KV cache.
  int64_t output = 0;           // Of the output matrix and its norm: to llama.cpp, one layer more behind the last.
  int64_t step = 0;             // What every device in use needs besides: activations, logits, the runtime's own.
  int num_units() const { return static_cast<int>(layers.size()) + 1; }
};

// Values of ModelOptions::gpu_layers beside a count.
constexpr int kLayersThatFit = -1;
constexpr int kAllLayers = -2;

// The number of layers for GPUs, 0 … sizes.num_units(), counted as llama.cpp does: the last ones, the output first. A
// count above num_units() means all. Several devices share them in proportion to their free memory.
// Without devices 0, whatever is requested; `log` gets one line about it. Throws ERR_OUT_OF_MEMORY, with what would
// fit, where kAllLayers or a count doesn't fit.
int PlaceLayers(const LayerSizes& sizes, const std::vector<Device>& devices, int requested,
                const std::function<void(LogLevel, std::string_view)>& log);

}  // namespace winnow
