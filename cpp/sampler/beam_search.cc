#include "sampler/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/vector_math.h"
#include "sampler/adjust_logits.h"
#include "sampler/candidates.h"
#include "sampler/row_index.h"
#include "sampler/row_weights.h"

namespace winnow {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Scratch {
  std::vector<float> row;
  std::vector<int> counts;
  RowIndex index;
  RowWeights weights;
  Candidates candidates;
};

Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

// log Σ exp of the row in the scratch; not finite where it is no distribution. NaN counts as −infinity from here on.
double LogSum(Scratch* scratch) {
  for (float& logit : scratch->row) {
    if (std::isnan(logit)) logit = -std::numeric_limits<float>::infinity();
  }
  scratch->index.Build(scratch->row);
  if (!std::isfinite(scratch->index.max())) return scratch->index.max();
  scratch->weights.Build(scratch->index, 1);
  return scratch->index.max() + std::log(scratch->weights.total());
}

void Append(const std::vector<Token>& tokens, std::vector<Token>* all) {
  all->insert(all->end(), tokens.begin(), tokens.end());
}

}  // namespace

BeamSearch::BeamSearch(SamplingOptions sampling, BeamOptions options, Span<const Token> prompt,
                       std::vector<Token> end_tokens, std::vector<Token> banned)
    : sampling_(std::move(sampling)),
      options_(options),
      prompt_(prompt.begin(), prompt.end()),
      end_tokens_(std::move(end_tokens)),
      banned_(std::move(banned)),
      banned_early_(banned_),
      beams_(1) {
  Append(end_tokens_, &banned_early_);
}

bool BeamSearch::IsEnd(Token token) const {
  return std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end();
}

Span<const Token> BeamSearch::Banned() const { return num_tokens_ < options_.min_tokens ? banned_early_ : banned_; }

bool BeamSearch::Read(int beam, Span<const float> logits) {
  Scratch& scratch = ThreadScratch();
  scratch.row.assign(logits.begin(), logits.end());
  const double log_sum = LogSum(&scratch);
  std::vector<Token> sequence = prompt_;
  Append(beams_[beam].tokens, &sequence);
  AdjustLogits(sampling_, {sequence, prompt_.size()}, Banned(), scratch.row, &scratch.counts);
  scratch.index.Build(scratch.row);
  if (std::isfinite(log_sum) && std::isfinite(scratch.index.max())) {
    // No more of one beam can be needed, even if every end token comes first.
    const size_t count = options_.num_beams + end_tokens_.size();
    scratch.candidates.Collect(scratch.index, scratch.index.ThresholdFor(count));
    scratch.candidates.SortTop(count);
    for (size_t i = 0; i < scratch.candidates.size(); ++i) {
      const float logit = scratch.candidates.logits()[i];
      if (!std::isfinite(logit)) break;
      const double logprob = logit - log_sum;
      continuations_.push_back(
          {beam, scratch.candidates.tokens()[i], static_cast<float>(logprob), beams_[beam].logprob + logprob});
    }
  }
  return ++num_read_ == static_cast<int>(beams_.size());
}

std::vector<BeamStep> BeamSearch::Advance() {
  // Of equal ones, the earlier beam's and the lower id, whatever the order of the rows was.
  std::sort(continuations_.begin(), continuations_.end(), [](const Continuation& a, const Continuation& b) {
    if (a.total != b.total) return a.total > b.total;
    return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
  });
  ++num_tokens_;
  std::vector<BeamStep> steps;
  std::vector<Hypothesis> next;
  for (const Continuation& continuation : continuations_) {
    if (static_cast<int>(next.size()) == options_.num_beams) break;
    if (IsEnd(continuation.token)) {
      Hypothesis ended = Extend(continuation);
      ended.has_end = true;
      Finish(std::move(ended));
    } else {
      steps.push_back({continuation.parent, continuation.token});
      next.push_back(Extend(continuation));
    }
  }
  beams_ = std::move(next);
  continuations_.clear();
  num_read_ = 0;
  if (num_tokens_ == options_.max_tokens) {
    for (Hypothesis& beam : beams_) Finish(std::move(beam));
    beams_.clear();
  }
  return beams_.empty() || IsDecided() ? std::vector<BeamStep>() : steps;
}

Hypothesis BeamSearch::Extend(const Continuation& continuation) const {
  Hypothesis extended = beams_[continuation.parent];
  extended.tokens.push_back(continuation.token);
  extended.logprobs.push_back(continuation.logprob);
  extended.logprob = continuation.total;
  return extended;
}

void BeamSearch::Finish(Hypothesis hypothesis) {
  hypothesis.score = ScoreOf(hypothesis.logprob, static_cast<int>(hypothesis.tokens.size()));
  const auto is_better = [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; };
  finished_.insert(std::upper_bound(finished_.begin(), finished_.end(), hypothesis, is_better), std::move(hypothesis));
  if (static_cast<int>(finished_.size()) > options_.num_beams) finished_.pop_back();
}

bool BeamSearch::IsDecided() const {
  if (static_cast<int>(finished_.size()) < options_.num_beams) return false;
  return options_.early_stopping || BestAttainable() <= finished_.back().score;
}

// By whatever grows out of a running text: its log-probability only falls, and dividing it by more makes it better.
double BeamSearch::BestAttainable() const {
  double best = -kInfinity;
  const int length = options_.length_penalty > 0 ? options_.max_tokens : num_tokens_ + 1;
  for (const Hypothesis& beam : beams_) best = std::max(best, beam.logprob);
  return best > 0 ? kInfinity : ScoreOf(best, length);  // Above 0 only by a logit bias.
}

double BeamSearch::ScoreOf(double logprob, int num_tokens) const {
  return logprob / std::pow(num_tokens, static_cast<double>(options_.length_penalty));
}

}  // namespace winnow
