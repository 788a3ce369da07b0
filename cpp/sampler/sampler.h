#pragma once

#include "base/sampling.h"
#include "base/span.h"
#include "base/token_filter.h"
#include "base/types.h"

namespace winnow {

// Draws the tokens of one candidate. Its random stream depends on (seed, candidate, position) alone, so that the same
// request gives the same text whatever shares the batch. One thread at a time. Scratch memory belongs to the thread and
// is shared by its samplers: hundreds of candidates need no row of their own, and only `Sampled::top` is allocated.
class Sampler {
 public:
  // `candidate`: 0 … n − 1 among the answers of one request. `prompt_length`: tokens of a history that are no text.
  Sampler(SamplingOptions options, int candidate, size_t prompt_length = 0);

  // From the next token on.
  void set_top_p(float top_p) { options_.top_p = top_p; }

  // `logits`: one row, [vocabulary], raw; at least one. `history`: the sequence so far, prompt included, for the
  // penalties. `position`: of the token to draw. `banned`: tokens that may not be drawn here (end of text under
  // ignoreEos or before minTokens). Ids outside the vocabulary are ignored. Draws by the inverse distribution function
  // in the order of ids. Rows with NaN or +infinity give the largest allowed finite logit; where there is none, the
  // lowest id that isn't banned, or 0.
  // `filter`, unless null, is asked for the drawn token, and only where it says no for others: a token that may not
  // come is taken out and drawn again, which gives the distribution of those that may; after kMaxAttempts the filter
  // masks the whole row. Where no finite logit may come, the token is one that the filter does not allow.
  Sampled Sample(Span<const float> logits, Span<const Token> history, Position position, Span<const Token> banned,
                 TokenFilter* filter = nullptr);

 private:
  static constexpr uint32_t kMaxAttempts = 16;
  bool ChangesLogits(Span<const Token> history, Span<const Token> banned) const;

  SamplingOptions options_;
  int candidate_;
  size_t prompt_length_;
};

}  // namespace winnow
