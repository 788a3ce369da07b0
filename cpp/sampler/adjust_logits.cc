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

}  // namespace

void AdjustLogits(const SamplingOptions& options, Span<const Token> history, Span<const Token> banned,
                  Span<float> logits, std::vector<int>* counts) {
  for (const auto& [token, bias] : options.logit_bias) {
    if (IsIn(logits, token)) logits[token] += bias;
  }
  if (options.has_penalties()) ApplyPenalties(options, Window(options, history), logits, counts);
  for (Token token : banned) {
    if (IsIn(logits, token)) logits[token] = -std::numeric_limits<float>::infinity();
  }
}

}  // namespace winnow
