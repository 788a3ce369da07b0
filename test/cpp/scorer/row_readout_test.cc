#include "scorer/row_readout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> RandomRow(size_t size, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(1, spread);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

double ReferenceLogSumExp(const std::vector<float>& row) {
  long double max = -INFINITY, sum = 0;
  for (float logit : row) max = std::max<long double>(max, logit);
  for (float logit : row) sum += std::exp(logit - max);
  return static_cast<double>(max + std::log(sum));
}

TEST(LogSumExp, AgreesWithExtendedPrecision) {
  for (size_t size : {1u, 2u, 63u, 64u, 65u, 1000u, 49152u, 262144u}) {
    for (float spread : {0.01f, 1.0f, 5.0f, 40.0f}) {
      const std::vector<float> row = RandomRow(size, spread, static_cast<unsigned>(size));
      EXPECT_NEAR(LogSumExp(row), ReferenceLogSumExp(row), 1e-6) << size << " " << spread;
    }
  }
}

TEST(LogSumExp, IsExactForEqualLogits) {
  EXPECT_DOUBLE_EQ(LogSumExp(std::vector<float>(1000, 3.0f)), 3 + std::log(1000.0));
}

TEST(LogSumExp, SurvivesLogitsThatFloatsCannotExponentiate) {
  EXPECT_DOUBLE_EQ(LogSumExp(std::vector<float>{1e30f, 1e30f}), static_cast<double>(1e30f) + std::log(2.0));
  EXPECT_DOUBLE_EQ(LogSumExp(std::vector<float>{-1e30f, -kInfinity}), -1e30f);
}

TEST(LogSumExp, OfNothingPossibleIsMinusInfinity) {
  EXPECT_EQ(LogSumExp(std::vector<float>(100, -kInfinity)), -kInfinity);
  EXPECT_EQ(LogSumExp(std::vector<float>(100, kNan)), -kInfinity);
  EXPECT_EQ(LogSumExp(std::vector<float>{1, kInfinity}), kInfinity);
}

TEST(ReadRow, GivesTheLogProbabilityOfEachToken) {
  const std::vector<float> row = RandomRow(1000, 4, 7);
  const double log_sum = ReferenceLogSumExp(row);
  const std::vector<Token> tokens = {0, 999, 17, 17};
  const std::vector<RowReadout> readouts = ReadRow(row, tokens);
  ASSERT_EQ(readouts.size(), 4u);
  for (size_t i = 0; i < tokens.size(); ++i) EXPECT_NEAR(readouts[i].logprob, row[tokens[i]] - log_sum, 1e-6);
  EXPECT_EQ(readouts[2].logprob, readouts[3].logprob);
}

TEST(ReadRow, CallsTheLowestIdOfTheLargestLogitsGreedy) {
  std::vector<float> row(200, 0.0f);
  row[70] = row[150] = 5;
  const std::vector<RowReadout> readouts = ReadRow(row, std::vector<Token>{70, 150, 0});
  EXPECT_TRUE(readouts[0].is_greedy);
  EXPECT_FALSE(readouts[1].is_greedy);
  EXPECT_FALSE(readouts[2].is_greedy);
}

TEST(ReadRow, GivesNoProbabilityToIdsOutsideTheRow) {
  const std::vector<RowReadout> readouts = ReadRow(std::vector<float>{1, 2}, std::vector<Token>{-1, 2, 1});
  EXPECT_EQ(readouts[0].logprob, -kInfinity);
  EXPECT_EQ(readouts[1].logprob, -kInfinity);
  EXPECT_FALSE(readouts[0].is_greedy);
  EXPECT_TRUE(readouts[2].is_greedy);
}

TEST(ReadRow, ShowsABrokenLogitAsNanAndLeavesTheOthersDefined) {
  const std::vector<RowReadout> readouts = ReadRow(std::vector<float>{kNan, 1, 1}, std::vector<Token>{0, 1, 2});
  EXPECT_TRUE(std::isnan(readouts[0].logprob));
  EXPECT_FALSE(readouts[0].is_greedy);
  EXPECT_NEAR(readouts[1].logprob, std::log(0.5), 1e-12);
  EXPECT_TRUE(readouts[1].is_greedy);
}

TEST(ReadRow, TreatsInfiniteLogitsAsCertainOrImpossible) {
  const std::vector<RowReadout> readouts =
      ReadRow(std::vector<float>{kInfinity, 1, -kInfinity}, std::vector<Token>{0, 1, 2});
  EXPECT_EQ(readouts[0].logprob, 0);
  EXPECT_EQ(readouts[1].logprob, -kInfinity);
  EXPECT_EQ(readouts[2].logprob, -kInfinity);
  EXPECT_EQ(ReadRow(std::vector<float>(3, -kInfinity), std::vector<Token>{1})[0].logprob, -kInfinity);
}

TEST(LikeliestTokens, AreSortedWithTheLowerIdFirstOnATie) {
  const std::vector<float> row{1, 3, kNan, 3, 2};
  const std::vector<LikelyToken> likeliest = LikeliestTokens(row, 3);
  ASSERT_EQ(likeliest.size(), 3u);
  EXPECT_EQ(likeliest[0].token, 1);
  EXPECT_EQ(likeliest[1].token, 3);
  EXPECT_EQ(likeliest[2].token, 4);
  EXPECT_EQ(likeliest[2].logprob, ReadRow(row, std::vector<Token>{4})[0].logprob);  // The same bits.
}

TEST(LikeliestTokens, AreAtMostTheWholeRow) {
  EXPECT_EQ(LikeliestTokens(std::vector<float>{1, kNan}, 5).size(), 2u);
  EXPECT_EQ(LikeliestTokens(std::vector<float>{1, kNan}, 5)[1].token, 1);
  EXPECT_TRUE(LikeliestTokens(std::vector<float>{1}, 0).empty());
}

}  // namespace
}  // namespace winnow
