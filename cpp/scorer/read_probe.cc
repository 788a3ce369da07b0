#include "scorer/read_probe.h"

namespace winnow {

double ReadProbe(const Probe& probe, Span<const float> state) {
  double value = probe.bias;
  for (size_t i = 0; i < state.size(); ++i) value += static_cast<double>(probe.weights[i]) * state[i];
  return value;
}

}  // namespace winnow
