#include "scorer/check_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace winnow {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Answer Logprobs(const std::vector<double>& values) {
  Answer answer;
  for (double value : values) answer.labels.emplace_back().logprob = value;
  return answer;
}

TEST(CheckValue, IsTheWeightedMeanOfTheLabelsProbabilities) {
  Check check;
  check.scales = {1, 1, 1};
  check.offsets = {0, 0, 0};
  check.weights = {0, 1, 2};
  EXPECT_NEAR(ValueOf(check, Logprobs({std::log(0.1), std::log(0.2), std::log(0.1)})), (0.2 + 2 * 0.1) / 0.4, 1e-12);
}

TEST(CheckValue, ScalesAndOffsetsComeBeforeTheSoftmax) {
  Check check;
  check.scales = {0.5, 2};
  check.offsets = {1, 0};
  check.weights = {1, 0};
  const double first = std::exp(0.5 * -2 + 1), second = std::exp(2 * -1.5);
  EXPECT_NEAR(ValueOf(check, Logprobs({-2, -1.5})), first / (first + second), 1e-12);
}

TEST(CheckValue, ImpossibleLabelsAreEquallySo) {
  Check check;
  check.scales = {1, 1};
  check.offsets = {0, 0};
  check.weights = {1, 0};
  EXPECT_EQ(ValueOf(check, Logprobs({-kInfinity, -kInfinity})), 0.5);
  EXPECT_EQ(ValueOf(check, Logprobs({-1, -kInfinity})), 1);
}

TEST(CheckValue, PassesBetweenItsBoundsTheyIncluded) {
  Check check;
  check.least = 0.25;
  check.most = 0.75;
  for (double value : {0.25, 0.5, 0.75}) EXPECT_TRUE(Passes(check, value));
  for (double value : {0.24, 0.76, std::nan("")}) EXPECT_FALSE(Passes(check, value));
}

}  // namespace
}  // namespace winnow
