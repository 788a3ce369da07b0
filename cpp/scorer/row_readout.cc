#include "scorer/row_readout.h"

#include <cmath>
#include <limits>

#include "base/vector_math.h"

namespace winnow {
namespace {

double LogSumExp(Span<const float> logits, float max) {
  if (std::isinf(max)) return max;
  return max + std::log(vector_math::SumExp(logits, /*shift=*/max, /*scale=*/1));
}

bool IsFirstMaximum(Span<const float> logits, size_t index, float max) {
  return logits[index] == max && vector_math::FindFirst(logits.Subspan(0, index), max) == index;
}

// Infinite logits have no difference to speak of: +infinity is certain, −infinity impossible.
double Logprob(float logit, double log_sum) {
  if (!std::isinf(logit)) return logit - log_sum;
  return logit > 0 ? 0 : -std::numeric_limits<double>::infinity();
}

}  // namespace

double LogSumExp(Span<const float> logits) { return LogSumExp(logits, vector_math::Max(logits)); }

std::vector<RowReadout> ReadRow(Span<const float> logits, Span<const Token> tokens) {
  const float max = vector_math::Max(logits);
  const double log_sum = LogSumExp(logits, max);
  std::vector<RowReadout> readouts;
  readouts.reserve(tokens.size());
  for (Token token : tokens) {
    const size_t index = static_cast<size_t>(token);  // Negative ids become too large ones.
    if (index < logits.size()) {
      readouts.push_back({Logprob(logits[index], log_sum), IsFirstMaximum(logits, index, max)});
    } else {
      readouts.push_back({-std::numeric_limits<double>::infinity(), false});
    }
  }
  return readouts;
}

}  // namespace winnow
