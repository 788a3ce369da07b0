#pragma once

#include <vector>

#include "base/encode_plan.h"
#include "base/span.h"

namespace winnow {

// Turns the states of a text's tokens into one vector, as they come; sums are float64.
class Pooler {
 public:
  explicit Pooler(Pooling pooling) : pooling_(pooling) {}

  // The next token's state, [width].
  void Add(Span<const float> state);
  // [width]; `normalize`: to Euclidean length 1, where it isn't 0. At least one state was added.
  std::vector<float> Finish(bool normalize) const;

 private:
  Pooling pooling_;
  std::vector<double> values_;
  int num_states_ = 0;
};

}  // namespace winnow
