#include "sampler/candidates.h"

#include <algorithm>
#include <numeric>

#include "base/vector_math.h"

namespace winnow {

bool Candidates::IsLikelier(const Ranked& a, const Ranked& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.index < b.index);
}

void Candidates::Collect(const RowIndex& index, float threshold) {
  const size_t room = std::max(index.row().size(), tokens_.size());
  tokens_.resize(room);
  logits_.resize(room);
  weights_.resize(room);
  size_ = index.Collect(threshold, tokens_.data(), logits_.data());
}

void Candidates::ComputeWeights(float max, float scale) {
  vector_math::Exp(logits(), max, scale, weights_.data());
}

void Candidates::KeepTop(size_t count) {
  if (count >= size_) return;
  Rank();
  const auto last = ranked_.begin() + (count - 1);
  std::nth_element(ranked_.begin(), last, ranked_.end(), IsLikelier);
  KeepUpTo(*last);
}

// Quickselect by weight: halves the range that holds the last token to keep. [ranked_.begin(), first) weighs too little.
void Candidates::KeepMass(double weight) {
  if (size_ == 0) return;
  Rank();
  auto first = ranked_.begin();
  auto last = ranked_.end();
  while (last - first > 1) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, IsLikelier);
    const double upper = std::accumulate(first, middle, 0.0, [this](double sum, const Ranked& ranked) {
      return sum + weights_[ranked.index];
    });
    if (upper >= weight) {
      last = middle;
    } else {
      weight -= upper;
      first = middle;
    }
  }
  KeepUpTo(*first);
}

void Candidates::KeepAtLeast(float weight) {
  KeepIf([&](size_t i) { return weights_[i] >= weight; });
}

void Candidates::SortTop(size_t count) {
  Rank();
  size_ = std::min(count, size_);
  std::partial_sort(ranked_.begin(), ranked_.begin() + size_, ranked_.end(), IsLikelier);
  // Ids before logits: an index may point to an entry that was overwritten already.
  for (size_t i = 0; i < size_; ++i) ranked_[i].index = tokens_[ranked_[i].index];
  for (size_t i = 0; i < size_; ++i) tokens_[i] = ranked_[i].index;
  for (size_t i = 0; i < size_; ++i) logits_[i] = ranked_[i].logit;
}

double Candidates::TotalWeight() const {
  return std::accumulate(weights_.begin(), weights_.begin() + size_, 0.0);
}

Token Candidates::Draw(double uniform) const {
  const double target = uniform * TotalWeight();
  double sum = 0;
  size_t last = 0;  // With a weight: where rounding leaves the sum below the target.
  for (size_t i = 0; i < size_; ++i) {
    sum += weights_[i];
    if (sum > target) return tokens_[i];
    if (weights_[i] > 0) last = i;
  }
  return tokens_[last];
}

void Candidates::Rank() {
  ranked_.resize(size_);
  for (size_t i = 0; i < size_; ++i) ranked_[i] = {logits_[i], static_cast<int>(i)};
}

void Candidates::KeepUpTo(Ranked last) {
  KeepIf([&](size_t i) { return !IsLikelier(last, {logits_[i], static_cast<int>(i)}); });
}

template <class Predicate>
void Candidates::KeepIf(Predicate keeps) {
  size_t count = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (!keeps(i)) continue;
    tokens_[count] = tokens_[i];
    logits_[count] = logits_[i];
    weights_[count] = weights_[i];
    ++count;
  }
  size_ = count;
}

}  // namespace winnow
