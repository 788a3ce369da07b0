#pragma once

#include <vector>

#include "base/sampling.h"
#include "base/span.h"
#include "base/types.h"

namespace winnow {

// The sequence so far.
struct History {
  Span<const Token> tokens;  // Prompt and text.
  size_t text_begin = 0;     // Where the text begins.
};

// Applies logit bias, then penalties, then bans to `logits` in place. Ids outside the row are ignored.
// `counts`: scratch, all zeros before and after.
void AdjustLogits(const SamplingOptions& options, const History& history, Span<const Token> banned, Span<float> logits,
                  std::vector<int>* counts);

}  // namespace winnow
