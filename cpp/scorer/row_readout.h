#pragma once

#include <vector>

#include "base/question.h"
#include "base/span.h"
#include "base/types.h"

namespace winnow {

// Log-probability of one token under one row of logits.
struct RowReadout {
  double logprob = 0;      // Natural log; −infinity for ids outside the row, NaN where the logit is NaN.
  bool is_greedy = false;  // No other token of the row has a larger logit (lowest id on a tie).
};

// log Σ exp(logits) in nats: maximum and exponentials in float32, their sum in float64. NaN counts as −infinity.
double LogSumExp(Span<const float> logits);

// `logits`: one row, [vocabulary]. One readout per id of `tokens`.
std::vector<RowReadout> ReadRow(Span<const float> logits, Span<const Token> tokens);

// The `count` likeliest tokens, or all there are, the likeliest first, the lower id on a tie.
std::vector<LikelyToken> LikeliestTokens(Span<const float> logits, size_t count);

}  // namespace winnow
