#pragma once

#include <vector>

#include "base/types.h"

namespace winnow {

// What is asked behind a sequence: `suffix` is appended as it is, then every label is scored as its continuation.
// Log-likelihood of continuations is the same question with an empty suffix.
struct Question {
  std::vector<Token> suffix;               // May be empty.
  std::vector<std::vector<Token>> labels;  // At least one; each at least one token; duplicates are allowed.
  int top_logprobs = 0;                    // How many of the likeliest tokens come with each token of a label.
};

struct LikelyToken {
  Token token = 0;
  double logprob = 0;  // Nats; the same bits as a label's of this token.
};

struct LabelScore {
  double logprob = 0;                  // Σ token_logprobs, nats.
  std::vector<double> token_logprobs;  // [tokens of the label]
  bool is_greedy = true;               // Every token is the likeliest one at its place.
  std::vector<LikelyToken> top;        // [tokens of the label × n], the likeliest first; empty unless asked for.
};

struct Answer {
  std::vector<LabelScore> labels;  // In the order of Question::labels.
};

}  // namespace winnow
