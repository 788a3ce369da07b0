// The sampler and a filter that says which tokens may come.
#include "base/token_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "sampler/sampler.h"

namespace winnow {
namespace {

using Row = std::vector<float>;
using Tokens = std::vector<Token>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class Only : public TokenFilter {
 public:
  explicit Only(std::set<Token> tokens) : tokens_(std::move(tokens)) {}

  bool Allows(Token token) override {
    ++num_asked;
    return tokens_.count(token) > 0;
  }
  void Mask(Span<float> logits) override {
    ++num_masked;
    for (size_t i = 0; i < logits.size(); ++i) {
      if (tokens_.count(static_cast<Token>(i)) == 0) logits[i] = -kInfinity;
    }
  }

  int num_asked = 0;
  int num_masked = 0;

 private:
  std::set<Token> tokens_;
};

SamplingOptions Greedy() {
  SamplingOptions options;
  options.temperature = 0;
  return options;
}

Sampled Draw(const SamplingOptions& options, const Row& row, Only* filter, Position position = 0) {
  return Sampler(options, 0).Sample(row, {}, position, {}, filter);
}

TEST(TokenFilter, IsAskedOnlyForTheDrawnTokenWhereThatMayCome) {
  Only filter({1, 2});
  EXPECT_EQ(Draw(Greedy(), {0, 5, 1}, &filter).token, 1);
  EXPECT_EQ(filter.num_asked, 1);
  EXPECT_EQ(filter.num_masked, 0);
}

TEST(TokenFilter, TheLikeliestThatMayComeIsTheGreedyOne) {
  Only filter({0, 3});
  EXPECT_EQ(Draw(Greedy(), {1, 5, 4, 2}, &filter).token, 3);
  EXPECT_EQ(filter.num_asked, 3);  // 1, 2, 3.
  EXPECT_EQ(filter.num_masked, 0);
}

TEST(TokenFilter, MasksTheRowAfterSixteenAttempts) {
  Row row(100);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(100 - i);
  Only near({15});
  EXPECT_EQ(Draw(Greedy(), row, &near).token, 15);
  EXPECT_EQ(near.num_masked, 0);
  Only far({70, 90});
  EXPECT_EQ(Draw(Greedy(), row, &far).token, 70);
  EXPECT_EQ(far.num_masked, 1);
  EXPECT_LE(far.num_asked, 17);
}

// χ² with 2 degrees of freedom: 13.8 is passed by one in a thousand right samplers.
TEST(TokenFilter, LeavesTheDistributionOfThoseThatMayCome) {
  const Row row = {std::log(0.45f), std::log(0.2f), std::log(0.15f), std::log(0.1f), std::log(0.1f)};
  const std::vector<double> expected = {0, 0.2 / 0.4, 0, 0.1 / 0.4, 0.1 / 0.4};
  constexpr int kDraws = 20000;
  std::vector<int> counts(5);
  Only filter({1, 3, 4});
  for (Position i = 0; i < kDraws; ++i) ++counts[Draw({}, row, &filter, i).token];
  EXPECT_EQ(counts[0] + counts[2], 0);
  double chi_square = 0;
  for (int token : {1, 3, 4}) {
    chi_square += std::pow(counts[token] - kDraws * expected[token], 2) / (kDraws * expected[token]);
  }
  EXPECT_LT(chi_square, 13.8);
}

TEST(TokenFilter, WorksBehindTopKAndBias) {
  SamplingOptions options;
  options.top_k = 1;
  options.logit_bias = {{2, 10.0f}, {3, -kInfinity}};
  Only filter({0, 3});
  EXPECT_EQ(Draw(options, {1, 2, 3, 4}, &filter).token, 0);  // 2 is likeliest and may not come, nor may 1; 3 is banned.
}

TEST(TokenFilter, LogProbabilitiesAreThoseOfTheModel) {
  SamplingOptions options = Greedy();
  options.logprobs = true;
  options.top_logprobs = 1;
  Only filter({1});
  const Sampled sampled = Draw(options, {2, 0}, &filter);
  EXPECT_EQ(sampled.token, 1);
  EXPECT_NEAR(sampled.logprob, -std::log1p(std::exp(2.0)), 1e-6);
  ASSERT_EQ(sampled.top.size(), 1u);
  EXPECT_EQ(sampled.top[0].token, 0);
}

TEST(TokenFilter, WhereNothingMayComeATokenThatItRefusesComes) {
  Only nothing({});
  const Token drawn = Draw(Greedy(), {1, 2, 3}, &nothing).token;
  EXPECT_GE(drawn, 0);
  EXPECT_LT(drawn, 3);
  Only impossible({1});
  EXPECT_NE(Draw(Greedy(), {1, -kInfinity, 3}, &impossible).token, 1);
}

TEST(TokenFilter, RowsThatAreNoDistributionGiveTheLargestThatMayCome) {
  Only filter({0, 2});
  EXPECT_EQ(Draw({}, {1, 9, 4, kNan}, &filter).token, 2);
  EXPECT_EQ(Draw({}, {1, kInfinity, 4}, &filter).token, 2);
}

}  // namespace
}  // namespace winnow
