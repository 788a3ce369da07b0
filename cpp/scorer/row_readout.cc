#include "scorer/row_readout.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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

std::vector<LikelyToken> LikeliestTokens(Span<const float> logits, size_t count) {
  const auto is_likelier = [&](Token a, Token b) {
    const bool a_is_nan = std::isnan(logits[a]);
    const bool b_is_nan = std::isnan(logits[b]);
    if (a_is_nan != b_is_nan) return b_is_nan;  // NaN counts as −infinity.
    return logits[a] > logits[b] || ((a_is_nan || logits[a] == logits[b]) && a < b);
  };
  std::vector<Token> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + count, order.end(), is_likelier);
  order.resize(count);
  const std::vector<RowReadout> readouts = ReadRow(logits, order);
  std::vector<LikelyToken> likeliest(count);
  for (size_t i = 0; i < count; ++i) likeliest[i] = {order[i], readouts[i].logprob};
  return likeliest;
}

}  // namespace winnow
