#include "scorer/pooling.h"

#include <gtest/gtest.h>

namespace winnow {
namespace {

std::vector<float> PoolTwo(Pooling pooling, bool normalize) {
  Pooler pooler(pooling);
  const std::vector<float> first = {1, 2}, last = {5, 6};
  pooler.Add(first);
  pooler.Add(last);
  return pooler.Finish(normalize);
}

using Vector = std::vector<float>;

TEST(Pooler, TakesTheMeanTheFirstOrTheLastState) {
  EXPECT_EQ(PoolTwo(Pooling::kMean, /*normalize=*/false), (Vector{3, 4}));
  EXPECT_EQ(PoolTwo(Pooling::kCls, /*normalize=*/false), (Vector{1, 2}));
  EXPECT_EQ(PoolTwo(Pooling::kLast, /*normalize=*/false), (Vector{5, 6}));
}

TEST(Pooler, ScalesToLengthOne) { EXPECT_EQ(PoolTwo(Pooling::kMean, /*normalize=*/true), (Vector{0.6f, 0.8f})); }

TEST(Pooler, LeavesZerosAsTheyAre) {
  Pooler pooler(Pooling::kMean);
  pooler.Add(Vector{0, 0});
  EXPECT_EQ(pooler.Finish(/*normalize=*/true), (Vector{0, 0}));
}

// A float32 sum of these would lose the 1 every time.
TEST(Pooler, SumsInDoublePrecision) {
  Pooler pooler(Pooling::kMean);
  for (float value : {3e7f, 1.0f, 1.0f, -3e7f}) pooler.Add(Vector{value});
  EXPECT_EQ(pooler.Finish(/*normalize=*/false), (Vector{0.5f}));
}

}  // namespace
}  // namespace winnow
