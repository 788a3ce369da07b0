#pragma once

#include <vector>

#include "base/span.h"
#include "base/types.h"
#include "sampler/row_index.h"

namespace winnow {

// The tokens that may still be drawn, in the order of their ids. Each Keep function leaves the beginning of the order
// "likelier first, lower id on a tie". The memory is kept from row to row.
class Candidates {
 public:
  // All tokens whose logits reach `threshold`; none has a weight yet.
  void Collect(const RowIndex& index, float threshold);

  // Weight: exp((logit − max) · scale); `max`: the largest logit.
  void ComputeWeights(float max, float scale);

  // The `count` likeliest. Before ComputeWeights.
  void KeepTop(size_t count);
  // The fewest that together weigh at least `weight`.
  void KeepMass(double weight);
  // Those of at least this weight.
  void KeepAtLeast(float weight);
  // Puts the `count` likeliest first, sorted. Before ComputeWeights.
  void SortTop(size_t count);

  double TotalWeight() const;
  // Inverse of the distribution function in the order of ids. `uniform`: in [0, 1).
  Token Draw(double uniform) const;

  size_t size() const { return size_; }
  Span<const Token> tokens() const { return {tokens_.data(), size_}; }
  Span<const float> logits() const { return {logits_.data(), size_}; }
  Span<const float> weights() const { return {weights_.data(), size_}; }

 private:
  struct Ranked {
    float logit;
    int index;  // Into tokens_: ascending with the id.
  };
  static constexpr int kBuckets = 1024;
  static constexpr float kBucketsPerNat = 64;
  static bool IsLikelier(const Ranked& a, const Ranked& b);

  template <class Predicate>
  void RankIf(Predicate passes);
  template <class Predicate>
  void KeepIf(Predicate passes);
  void KeepUpTo(Ranked last);
  int BucketOf(float logit) const;
  int BucketOfCut(double* weight) const;
  Ranked SelectByWeight(double weight);

  // The first size_ entries count; what follows is room.
  size_t size_ = 0;
  std::vector<Token> tokens_;
  std::vector<float> logits_;
  std::vector<float> weights_;
  float max_ = 0;  // Of ComputeWeights.
  float scale_ = 0;
  // Scratch of the selections; the first num_ranked_ entries count.
  size_t num_ranked_ = 0;
  std::vector<Ranked> ranked_;
};

}  // namespace winnow
