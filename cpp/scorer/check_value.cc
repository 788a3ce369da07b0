#include "scorer/check_value.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace winnow {
namespace {

constexpr double kLeastLogprob = -1e6;

}  // namespace

double ValueOf(const Check& check, const Answer& answer) {
  std::vector<double> logits(answer.labels.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    logits[i] = check.scales[i] * std::max(answer.labels[i].logprob, kLeastLogprob) + check.offsets[i];
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  double value = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp(logits[i] - largest);
    total += weight;
    value += weight * check.weights[i];
  }
  return value / total;
}

}  // namespace winnow
