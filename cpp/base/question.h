#pragma once

#include <vector>

#include "base/types.h"

namespace winnow {

// What is asked behind a sequence: `suffix` is appended as it is, then every label is scored as its continuation.
// Log-likelihood of continuations is the same question with an empty suffix.
struct Question {
  std::vector<Token> suffix;               // May be empty.
  std::vector<std::vector<Token>> labels;  // At least one; each at least one token; duplicates are allowed.
};

struct LabelScore {
  double logprob = 0;                  // Σ token_logprobs, nats.
  std::vector<double> token_logprobs;  // [tokens of the label]
  bool is_greedy = true;               // Every token is the likeliest one at its place.
};

struct Answer {
  std::vector<LabelScore> labels;  // In the order of Question::labels.
};

}  // namespace winnow
