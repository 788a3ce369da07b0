#include "scorer/pooling.h"

#include <cmath>

namespace winnow {

void Pooler::Add(Span<const float> state) {
  const bool is_first = num_states_++ == 0;
  if (is_first || pooling_ == Pooling::kLast) {
    values_.assign(state.begin(), state.end());
  } else if (pooling_ == Pooling::kMean) {
    for (size_t i = 0; i < state.size(); ++i) values_[i] += state[i];
  }
}

std::vector<float> Pooler::Finish(bool normalize) const {
  double scale = pooling_ == Pooling::kMean ? 1.0 / num_states_ : 1.0;
  if (normalize) {
    double squares = 0;
    for (double value : values_) squares += value * value;
    if (squares > 0) scale = 1 / std::sqrt(squares);
  }
  std::vector<float> vector(values_.size());
  for (size_t i = 0; i < vector.size(); ++i) vector[i] = static_cast<float>(values_[i] * scale);
  return vector;
}

}  // namespace winnow
