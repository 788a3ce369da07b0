#pragma once

#include <string>
#include <vector>

namespace winnow {

// A linear function of the hidden state that enters a layer: weights · state + bias.
struct Probe {
  std::string name;
  int layer = 0;               // One of ModelInfo::hidden_layers.
  std::vector<float> weights;  // [embedding_size]
  double bias = 0;
};

}  // namespace winnow
