#include "sampler/adjust_logits.h"

#include <algorithm>
#include <limits>

namespace winnow {
namespace {

bool IsIn(Span<float> logits, Token token) { return static_cast<size_t>(token) < logits.size(); }

Span<const Token> Window(const SamplingOptions& options, Span<const Token> history) {
  const size_t window = options.penalty_window <= 0 ? history.size() : static_cast<size_t>(options.penalty_window);
  return history.Subspan(history.size() - std::min(window, history.size()));
}

float Penalised(const SamplingOptions& options, float logit, int count) {
  logit = logit > 0 ? logit / options.repetition_penalty : logit * options.repetition_penalty;
  return logit - options.frequency_penalty * static_cast<float>(count) - options.presence_penalty;
}

void ApplyPenalties(const SamplingOptions& options, Span<const Token> window, Span<float> logits,
                    std::vector<int>* counts) {
  counts->resize(std::max(counts->size(), logits.size()));
  for (Token token : window) {
    if (IsIn(logits, token)) ++(*counts)[token];
  }
  for (Token token : window) {
    if (!IsIn(logits, token) || (*counts)[token] == 0) continue;
    logits[token] = Penalised(options, logits[token], (*counts)[token]);
    (*counts)[token] = 0;  // A token is penalised once, and the scratch is clean again.
  }
}

void ApplySequenceBias(const SequenceBias& sequence, Span<const Token> history, Span<float> logits) {
  const size_t length = sequence.tokens.size() - 1;
  const Token last = sequence.tokens.back();
  if (history.size() < length || !IsIn(logits, last)) return;
  const Span<const Token> end = history.Subspan(history.size() - length);
  if (std::equal(end.begin(), end.end(), sequence.tokens.begin())) logits[last] += sequence.bias;
}

// Calls `found(token)` for every token that has followed the last `length` tokens before.
template <class Found>
void FindFollowers(Span<const Token> tokens, size_t length, Found found) {
  if (tokens.size() <= length) return;
  const Token* context = tokens.end() - length;
  for (size_t i = length; i < tokens.size(); ++i) {
    if (std::equal(context, tokens.end(), tokens.data() + i - length)) found(tokens[i]);
  }
}

void ApplyNgramPenalty(const NgramPenalty& ngram, Span<const Token> tokens, Span<float> logits,
                       std::vector<int>* counts) {
  counts->resize(std::max(counts->size(), logits.size()));
  const auto length = static_cast<size_t>(ngram.size - 1);
  FindFollowers(tokens, length, [&](Token token) {
    if (IsIn(logits, token)) ++(*counts)[token];
  });
  FindFollowers(tokens, length, [&](Token token) {
    if (!IsIn(logits, token) || (*counts)[token] == 0) return;
    logits[token] -= ngram.penalty * static_cast<float>((*counts)[token]);
    (*counts)[token] = 0;
  });
}

}  // namespace

void AdjustLogits(const SamplingOptions& options, const History& history, Span<const Token> banned, Span<float> logits,
                  std::vector<int>* counts) {
  for (const auto& [token, bias] : options.logit_bias) {
    if (IsIn(logits, token)) logits[token] += bias;
  }
  for (const SequenceBias& sequence : options.sequence_bias) ApplySequenceBias(sequence, history.tokens, logits);
  if (options.has_penalties()) ApplyPenalties(options, Window(options, history.tokens), logits, counts);
  const size_t begin = options.ngram_context ? 0 : std::min(history.text_begin, history.tokens.size());
  for (const NgramPenalty& ngram : options.ngram_penalties) {
    ApplyNgramPenalty(ngram, history.tokens.Subspan(begin), logits, counts);
  }
  for (Token token : banned) {
    if (IsIn(logits, token)) logits[token] = -std::numeric_limits<float>::infinity();
  }
}

}  // namespace winnow
