#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/types.h"

namespace winnow {

// How the next token is drawn. Applied in this order: logit bias, penalties, temperature, top-k, top-p, min-p.
struct SamplingOptions {
  float temperature = 1.0f;  // 0 = greedy: the largest logit, the lowest id on a tie.
  int top_k = 0;             // 0 = off.
  float top_p = 1.0f;        // 1 = off.
  float min_p = 0.0f;        // Relative to the likeliest token; 0 = off.
  float repetition_penalty =
      1.0f;  // Divides positive logits, multiplies negative ones (CTRL, arXiv 1909.05858); 1 = off.
  float frequency_penalty = 0.0f;                   // Subtracted once per occurrence; 0 = off.
  float presence_penalty = 0.0f;                    // Subtracted once if the token occurred; 0 = off.
  int penalty_window = 64;                          // Last tokens that the penalties look at; 0 = all of the sequence.
  std::vector<std::pair<Token, float>> logit_bias;  // Added to the logits; -infinity bans a token.
  uint64_t seed = 0;
  bool logprobs = false;  // Whether Sampled::logprob is computed.
  int top_logprobs = 0;   // How many of the likeliest tokens come with each sample; 0 = none.

  bool has_penalties() const { return repetition_penalty != 1 || frequency_penalty != 0 || presence_penalty != 0; }
};

struct TokenLogprob {
  Token token = 0;
  float logprob = 0;
};

struct Sampled {
  Token token = 0;
  float logprob = 0;  // Of the model's own distribution: before bias, penalties and temperature. 0 unless asked for.
  std::vector<TokenLogprob> top;  // Likeliest first, of the same distribution; empty unless asked for.
};

}  // namespace winnow
