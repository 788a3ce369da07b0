#include "sampler/candidates.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/vector_math.h"

namespace winnow {

bool Candidates::IsLikelier(const Ranked& a, const Ranked& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.index < b.index);
}

// Without a branch, as KeepIf: which tokens pass can't be predicted.
template <class Predicate>
void Candidates::RankIf(Predicate passes) {
  ranked_.resize(std::max(ranked_.size(), size_ + 1));
  size_t count = 0;
  for (size_t i = 0; i < size_; ++i) {
    ranked_[count] = {logits_[i], static_cast<int>(i)};
    count += passes(i);
  }
  num_ranked_ = count;
}

template <class Predicate>
void Candidates::KeepIf(Predicate passes) {
  size_t count = 0;
  for (size_t i = 0; i < size_; ++i) {
    const bool is_kept = passes(i);
    tokens_[count] = tokens_[i];
    logits_[count] = logits_[i];
    weights_[count] = weights_[i];
    count += is_kept;
  }
  size_ = count;
}

void Candidates::Collect(const RowIndex& index, float threshold) {
  const size_t room = std::max(index.row().size(), tokens_.size());
  tokens_.resize(room);
  logits_.resize(room);
  weights_.resize(room);
  size_ = index.Collect(threshold, tokens_.data(), logits_.data());
}

void Candidates::ComputeWeights(float max, float scale) {
  max_ = max;
  scale_ = scale;
  vector_math::Exp(logits(), max, scale, weights_.data());
}

void Candidates::KeepTop(size_t count) {
  if (count >= size_) return;
  RankIf([](size_t) { return true; });
  const auto last = ranked_.begin() + (count - 1);
  std::nth_element(ranked_.begin(), last, ranked_.begin() + num_ranked_, IsLikelier);
  KeepUpTo(*last);
}

void Candidates::KeepMass(double weight) {
  if (size_ == 0) return;
  const int bucket = BucketOfCut(&weight);
  RankIf([&](size_t i) { return BucketOf(logits_[i]) == bucket; });
  KeepUpTo(SelectByWeight(weight));
}

// Buckets are steps of log-probability from the likeliest token down; the last one has no end.
int Candidates::BucketOf(float logit) const {
  return static_cast<int>(std::min((max_ - logit) * scale_ * kBucketsPerNat, static_cast<float>(kBuckets - 1)));
}

// Which bucket the last token to keep is in. Takes the weight of the buckets before off `weight`.
int Candidates::BucketOfCut(double* weight) const {
  double sums[kBuckets] = {};
  for (size_t i = 0; i < size_; ++i) sums[BucketOf(logits_[i])] += weights_[i];
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    if (sums[bucket] >= *weight) return bucket;
    *weight -= sums[bucket];
  }
  *weight = std::numeric_limits<double>::infinity();  // Rounding: all of them are needed.
  return BucketOf(*std::min_element(logits_.begin(), logits_.begin() + size_));
}

// Quickselect by weight: halves the range that holds the last token to keep. [ranked_.begin(), first) weighs too
// little.
Candidates::Ranked Candidates::SelectByWeight(double weight) {
  auto first = ranked_.begin();
  auto last = ranked_.begin() + num_ranked_;
  while (last - first > 1) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, IsLikelier);
    const auto add = [this](double sum, const Ranked& ranked) { return sum + weights_[ranked.index]; };
    const double upper = std::accumulate(first, middle, 0.0, add);
    if (upper >= weight) {
      last = middle;
    } else {
      weight -= upper;
      first = middle;
    }
  }
  return *first;
}

void Candidates::KeepAtLeast(float weight) {
  KeepIf([&](size_t i) { return weights_[i] >= weight; });
}

void Candidates::SortTop(size_t count) {
  RankIf([](size_t) { return true; });
  size_ = std::min(count, size_);
  std::partial_sort(ranked_.begin(), ranked_.begin() + size_, ranked_.begin() + num_ranked_, IsLikelier);
  // Ids before logits: an index may point to an entry that was overwritten already.
  for (size_t i = 0; i < size_; ++i) ranked_[i].index = tokens_[ranked_[i].index];
  for (size_t i = 0; i < size_; ++i) tokens_[i] = ranked_[i].index;
  for (size_t i = 0; i < size_; ++i) logits_[i] = ranked_[i].logit;
}

double Candidates::TotalWeight() const { return std::accumulate(weights_.begin(), weights_.begin() + size_, 0.0); }

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

void Candidates::KeepUpTo(Ranked last) {
  KeepIf([&](size_t i) { return !IsLikelier(last, {logits_[i], static_cast<int>(i)}); });
}

}  // namespace winnow
