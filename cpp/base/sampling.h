#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/types.h"

namespace winnow {

// Subtracted from the logit of a token once per earlier n-gram that it would repeat: one whose last token it is and
// that begins with the last size − 1 tokens. Infinity blocks the token.
struct NgramPenalty {
  int size = 3;  // At least 1.
  float penalty = 0;
};

// Added to the logit of the last of `tokens` where the sequence ends with those before it.
struct SequenceBias {
  std::vector<Token> tokens;  // At least two.
  float bias = 0;
};

// How the next token is drawn. Applied in this order: logit bias, penalties (of tokens, then of n-grams), temperature,
// top-k, top-p, min-p.
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
  std::vector<SequenceBias> sequence_bias;          // -infinity bans the last token there.
  std::vector<NgramPenalty> ngram_penalties;        // Empty = off.
  bool ngram_context = false;  // N-grams of the prompt count, too; else only those within the text.
  // Factual nucleus (sampler/factual_nucleus.h): top_p shrinks by `nucleus_decay` with every token of a sentence, down
  // to `nucleus_floor`. 1 = off.
  float nucleus_decay = 1.0f;
  float nucleus_floor = 0.0f;
  uint64_t seed = 0;
  bool logprobs = false;  // Whether Sampled::logprob is computed.
  int top_logprobs = 0;   // How many of the likeliest tokens come with each sample; 0 = none.

  bool has_penalties() const { return repetition_penalty != 1 || frequency_penalty != 0 || presence_penalty != 0; }
  // Whether the tokens before the one to draw matter.
  bool has_history() const { return has_penalties() || !ngram_penalties.empty() || !sequence_bias.empty(); }
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
