#pragma once

#include "base/sampling.h"
#include "base/span.h"
#include "base/types.h"

namespace winnow {

// Draws the tokens of one candidate. Its random stream depends on (seed, candidate, position) alone, so that the same
// request gives the same text whatever shares the batch. One thread at a time; scratch memory is reused between calls.
class Sampler {
 public:
  // `candidate`: 0 … n − 1 among the answers of one request.
  Sampler(SamplingOptions options, int candidate);

  // `logits`: one row, [vocabulary], raw. `history`: the sequence so far, prompt included, for the penalties.
  // `position`: of the token to draw. `banned`: tokens that may not be drawn here (end of text under ignoreEos or
  // before minTokens). Rows with NaN or nothing left to draw give the largest allowed finite logit.
  Sampled Sample(Span<const float> logits, Span<const Token> history, Position position, Span<const Token> banned);

 private:
  SamplingOptions options_;
  int candidate_;
};

}  // namespace winnow
