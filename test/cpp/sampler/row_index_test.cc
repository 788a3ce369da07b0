#include "sampler/row_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> RandomRow(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

std::vector<Token> Collect(const RowIndex& index, float threshold) {
  std::vector<Token> tokens(index.row().size());
  std::vector<float> logits(index.row().size());
  tokens.resize(index.Collect(threshold, tokens.data(), logits.data()));
  for (size_t i = 0; i < tokens.size(); ++i) EXPECT_EQ(logits[i], index.row()[tokens[i]]);
  return tokens;
}

TEST(RowIndex, FindsTheLowestIdOfTheLargestLogits) {
  std::vector<float> row(300, -1.0f);
  RowIndex index;
  index.Build(row);
  EXPECT_EQ(index.ArgMax(), 0);
  row[299] = row[130] = 2;
  index.Build(row);
  EXPECT_EQ(index.max(), 2);
  EXPECT_EQ(index.ArgMax(), 130);
}

TEST(RowIndex, CollectsInTheOrderOfIdsWhateverTheSize) {
  for (size_t size : {1u, 63u, 64u, 65u, 1000u}) {
    const std::vector<float> row = RandomRow(size, 1);
    std::vector<Token> expected;
    for (size_t i = 0; i < size; ++i) {
      if (row[i] >= 1.5f) expected.push_back(static_cast<Token>(i));
    }
    RowIndex index;
    index.Build(row);
    EXPECT_EQ(Collect(index, 1.5f), expected);
    EXPECT_EQ(Collect(index, -kInfinity).size(), size);
  }
}

TEST(RowIndex, ThresholdKeepsAsManyAsAskedAndFewMore) {
  const std::vector<float> row = RandomRow(49152, 2);
  std::vector<float> sorted = row;
  std::sort(sorted.begin(), sorted.end(), std::greater<float>());
  RowIndex index;
  index.Build(row);
  for (size_t count : {1u, 2u, 40u, 200u}) {
    const float threshold = index.ThresholdFor(count);
    EXPECT_LE(threshold, sorted[count - 1]) << count;
    EXPECT_GE(Collect(index, threshold).size(), count);
    EXPECT_LT(Collect(index, threshold).size(), 2 * count + 2) << count;
  }
  EXPECT_EQ(index.ThresholdFor(769), -kInfinity);  // There are 768 blocks.
}

}  // namespace
}  // namespace winnow
