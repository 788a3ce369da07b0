#include "sampler/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sampler/adjust_logits.h"
#include "sampler/candidates.h"
#include "sampler/filters.h"
#include "sampler/philox.h"
#include "sampler/row_index.h"
#include "sampler/row_weights.h"

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Scratch {
  std::vector<float> adjusted;  // The row after bias, penalties and bans.
  std::vector<int> counts;      // Of tokens in the penalty window; zeros between uses.
  RowIndex index;
  RowWeights weights;
  Candidates candidates;
};

Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

// Temperatures beyond these bounds draw like the bounds; weights stay numbers.
float ScaleOf(const SamplingOptions& options) { return 1 / std::clamp(options.temperature, 1e-30f, 1e30f); }

// For rows that are no distribution. -1 if no logit is finite.
Token LargestFinite(Span<const float> row) {
  Token best = -1;
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::isfinite(row[i]) && (best < 0 || row[i] > row[best])) best = static_cast<Token>(i);
  }
  return best;
}

Token FirstAllowed(const SamplingOptions& options, Span<const Token> banned, size_t vocabulary_size) {
  std::vector<bool> is_banned(vocabulary_size);
  const auto ban = [&](Token token) {
    if (static_cast<size_t>(token) < vocabulary_size) is_banned[token] = true;
  };
  for (Token token : banned) ban(token);
  for (const auto& [token, bias] : options.logit_bias) {
    if (bias == -kInfinity) ban(token);
  }
  const auto allowed = std::find(is_banned.begin(), is_banned.end(), false);
  return allowed == is_banned.end() ? 0 : static_cast<Token>(allowed - is_banned.begin());
}

// -1 if no finite logit is left.
Token DrawFrom(Scratch* scratch, const SamplingOptions& options, double uniform) {
  const RowIndex& index = scratch->index;
  if (index.has_nan() || !std::isfinite(index.max())) return LargestFinite(index.row());
  if (!(options.temperature > 0)) return index.ArgMax();
  if (HasFilters(options)) {
    Filter(options, ScaleOf(options), &scratch->index, &scratch->weights, &scratch->candidates);
    return scratch->candidates.Draw(uniform);
  }
  scratch->weights.Build(index, ScaleOf(options));
  return scratch->weights.Draw(uniform);
}

// log Σ exp(logit) of the indexed row, which the weights at temperature 1 have summed up already.
double LogSum(Scratch* scratch) {
  if (!std::isfinite(scratch->index.max())) return scratch->index.max();
  if (scratch->weights.scale() != 1) scratch->weights.Build(scratch->index, 1);
  return scratch->index.max() + std::log(scratch->weights.total());
}

// 0 is certain (+infinity among finite logits), −infinity impossible; NaN can't be drawn either.
float Logprob(float logit, double log_sum) {
  if (std::isfinite(logit)) return static_cast<float>(logit - log_sum);
  return logit > 0 ? 0 : -kInfinity;
}

// `filter`, unless null: takes out everything else that it does not allow as well.
void TakeOut(Token token, TokenFilter* filter, Scratch* scratch) {
  scratch->adjusted[token] = -kInfinity;
  if (filter != nullptr) filter->Mask(scratch->adjusted);
  scratch->index.Build(scratch->adjusted);
  scratch->weights.Clear();
}

std::vector<TokenLogprob> TopLogprobs(Scratch* scratch, size_t count, double log_sum) {
  Candidates& candidates = scratch->candidates;
  candidates.Collect(scratch->index, scratch->index.ThresholdFor(count));
  candidates.SortTop(count);
  std::vector<TokenLogprob> top(candidates.size());
  for (size_t i = 0; i < top.size(); ++i) {
    top[i] = {candidates.tokens()[i], Logprob(candidates.logits()[i], log_sum)};
  }
  return top;
}

// Precondition: the index holds the raw row.
void AddLogprobs(Scratch* scratch, const SamplingOptions& options, Sampled* sampled) {
  const double log_sum = LogSum(scratch);
  if (options.logprobs) sampled->logprob = Logprob(scratch->index.row()[sampled->token], log_sum);
  if (options.top_logprobs > 0) sampled->top = TopLogprobs(scratch, options.top_logprobs, log_sum);
}

}  // namespace

Sampler::Sampler(SamplingOptions options, int candidate, size_t prompt_length)
    : options_(std::move(options)), candidate_(candidate), prompt_length_(prompt_length) {}

Sampled Sampler::Sample(Span<const float> logits, Span<const Token> history, Position position,
                        Span<const Token> banned, TokenFilter* filter) {
  Scratch& scratch = ThreadScratch();
  const bool is_changed = ChangesLogits(history, banned) || filter != nullptr;
  if (is_changed) {
    scratch.adjusted.assign(logits.begin(), logits.end());
    AdjustLogits(options_, {history, prompt_length_}, banned, scratch.adjusted, &scratch.counts);
  }
  scratch.index.Build(is_changed ? Span<const float>(scratch.adjusted) : logits);
  scratch.weights.Clear();
  const auto uniform = [&](uint32_t attempt) {
    return UniformAt(options_.seed, static_cast<uint32_t>(candidate_), static_cast<uint32_t>(position), attempt);
  };
  Sampled sampled;
  sampled.token = DrawFrom(&scratch, options_, uniform(0));
  for (uint32_t attempt = 1; filter != nullptr && sampled.token >= 0 && !filter->Allows(sampled.token); ++attempt) {
    if (attempt > kMaxAttempts) break;
    TakeOut(sampled.token, attempt == kMaxAttempts ? filter : nullptr, &scratch);
    sampled.token = DrawFrom(&scratch, options_, uniform(attempt));
  }
  if (sampled.token < 0) sampled.token = FirstAllowed(options_, banned, logits.size());
  if (!options_.logprobs && options_.top_logprobs <= 0) return sampled;

  if (is_changed) {
    scratch.index.Build(logits);
    scratch.weights.Clear();
  }
  AddLogprobs(&scratch, options_, &sampled);
  return sampled;
}

bool Sampler::ChangesLogits(Span<const Token> history, Span<const Token> banned) const {
  return !options_.logit_bias.empty() || !banned.empty() || (options_.has_history() && !history.empty());
}

}  // namespace winnow
