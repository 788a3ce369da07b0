#include "sampler/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace winnow {
namespace {

using Row = std::vector<float>;
using Tokens = std::vector<Token>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Row RandomRow(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  Row row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

SamplingOptions Greedy() {
  SamplingOptions options;
  options.temperature = 0;
  return options;
}

Token Draw(const SamplingOptions& options, const Row& row, const Tokens& history = {}, const Tokens& banned = {}) {
  return Sampler(options, 0).Sample(row, history, 0, banned).token;
}

Tokens DrawMany(const SamplingOptions& options, const Row& row, int candidate, int count) {
  Sampler sampler(options, candidate);
  Tokens tokens;
  for (int position = 0; position < count; ++position) tokens.push_back(sampler.Sample(row, {}, position, {}).token);
  return tokens;
}

// Every way through the sampler: greedy, the whole row, each filter.
std::vector<SamplingOptions> AllKinds() {
  std::vector<SamplingOptions> kinds(6);
  kinds[0] = Greedy();
  kinds[2].top_k = 40;
  kinds[3].top_p = 0.9f;
  kinds[4].min_p = 0.05f;
  kinds[5].top_k = 100;
  kinds[5].top_p = 0.8f;
  kinds[5].min_p = 0.01f;
  return kinds;
}

std::vector<double> Softmax(const Row& row, double temperature) {
  const double max = *std::max_element(row.begin(), row.end());
  std::vector<double> probabilities;
  for (float logit : row) probabilities.push_back(std::exp((logit - max) / temperature));
  const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

TEST(Sampler, TakesTheLowestIdOfTheLargestLogitsAtTemperatureZero) {
  EXPECT_EQ(Draw(Greedy(), {1, 3, 2, 3}), 1);
  Row row(1000, -5.0f);
  row[777] = row[900] = -4;
  EXPECT_EQ(Draw(Greedy(), row), 777);
}

TEST(Sampler, DrawsTheSameTokensFromTheSameSeedCandidateAndPosition) {
  const Row row = RandomRow(1000, 1);
  SamplingOptions options;
  options.seed = 5;
  const Tokens tokens = DrawMany(options, row, 3, 100);
  EXPECT_EQ(DrawMany(options, row, 3, 100), tokens);
  EXPECT_NE(DrawMany(options, row, 4, 100), tokens);
  options.seed = 6;
  EXPECT_NE(DrawMany(options, row, 3, 100), tokens);
}

TEST(Sampler, DoesNotDependOnWhatWasDrawnBefore) {
  const Row row = RandomRow(1000, 2);
  for (const SamplingOptions& options : AllKinds()) {
    Sampler used(options, 0);
    const Row other = RandomRow(5000, 3);
    for (int position = 0; position < 10; ++position) used.Sample(other, {}, position, Tokens{1});
    EXPECT_EQ(used.Sample(row, {}, 50, {}).token, Sampler(options, 0).Sample(row, {}, 50, {}).token);
  }
}

TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSay) {
  const Row row = {1, 0, 2.5f, -1, 0.5f, 2, -kInfinity, 1.5f};
  constexpr int kDraws = 20000;
  SamplingOptions options;
  options.temperature = 0.8f;
  std::vector<double> expected = Softmax(row, 0.8);
  for (int top_k : {0, 8}) {  // The whole row, and the candidates of a filter.
    options.top_k = top_k;
    std::vector<int> counts(row.size());
    for (Token token : DrawMany(options, row, top_k, kDraws)) ++counts[token];
    EXPECT_EQ(counts[6], 0);
    double chi_square = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      if (expected[i] > 0) chi_square += std::pow(counts[i] - kDraws * expected[i], 2) / (kDraws * expected[i]);
    }
    EXPECT_LT(chi_square, 22.5) << top_k;  // 6 degrees of freedom, p = 0.001.
  }
}

TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSayFromManyBlocks) {
  const Row row = RandomRow(300, 4);
  constexpr int kDraws = 50000;
  std::vector<int> counts(row.size());
  for (Token token : DrawMany({}, row, 0, kDraws)) ++counts[token];
  const std::vector<double> expected = Softmax(row, 1);
  double chi_square = 0, rest_expected = kDraws, rest = kDraws;
  int degrees = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    if (kDraws * expected[i] < 10) continue;  // Rare tokens make up one bin together.
    chi_square += std::pow(counts[i] - kDraws * expected[i], 2) / (kDraws * expected[i]);
    rest_expected -= kDraws * expected[i];
    rest -= counts[i];
    ++degrees;
  }
  chi_square += std::pow(rest - rest_expected, 2) / rest_expected;
  EXPECT_GT(degrees, 100);
  EXPECT_LT(chi_square, degrees + 3.1 * std::sqrt(2.0 * degrees));  // About p = 0.001.
}

TEST(Sampler, DrawsTheSameFromARowAndFromCandidatesThatAreTheWholeRow) {
  const Row row = RandomRow(2000, 5);
  SamplingOptions options;
  const Tokens whole = DrawMany(options, row, 0, 500);
  options.top_k = 2000;
  EXPECT_EQ(DrawMany(options, row, 0, 500), whole);
}

TEST(Sampler, NeverDrawsWhatIsBanned) {
  const Row row = RandomRow(100, 6);
  Tokens banned;
  for (Token token = 0; token < 100; ++token) {
    if (token != 42) banned.push_back(token);
  }
  for (const SamplingOptions& options : AllKinds()) EXPECT_EQ(Draw(options, row, {}, banned), 42);
}

TEST(Sampler, FollowsTheLogitBias) {
  SamplingOptions options = Greedy();
  options.logit_bias = {{2, 10.0f}};
  EXPECT_EQ(Draw(options, {5, 0, 0}), 2);
  options.logit_bias = {{0, -kInfinity}};
  EXPECT_EQ(Draw(options, {5, 0, 1}), 2);
}

TEST(Sampler, PenalisesTheHistory) {
  SamplingOptions options = Greedy();
  options.presence_penalty = 2;
  EXPECT_EQ(Draw(options, {5, 4, 0}), 0);
  EXPECT_EQ(Draw(options, {5, 4, 0}, {0}), 1);
}

TEST(Sampler, TakesTheLargestFiniteLogitOfABrokenRow) {
  for (const SamplingOptions& options : AllKinds()) {
    EXPECT_EQ(Draw(options, {kNan, 1, 3, 2}), 2);
    EXPECT_EQ(Draw(options, {1, 3, 2, kNan}, {}, {1}), 2);
    EXPECT_EQ(Draw(options, {1, kInfinity, 2}), 2);
  }
}

TEST(Sampler, TakesTheLowestAllowedIdWhereNothingIsFinite) {
  for (SamplingOptions options : AllKinds()) {
    EXPECT_EQ(Draw(options, Row(100, kNan)), 0);
    EXPECT_EQ(Draw(options, Row(100, -kInfinity)), 0);
    EXPECT_EQ(Draw(options, Row(100, -kInfinity), {}, {0, 1, 3}), 2);
    options.logit_bias = {{0, -kInfinity}, {2, 1.0f}};
    EXPECT_EQ(Draw(options, Row(100, -kInfinity), {}, {1}), 2);
    EXPECT_EQ(Draw(options, {1, 2}, {}, {0, 1}), 0);  // All are banned.
  }
}

TEST(Sampler, DrawsAnIdOfTheVocabularyWhateverTheRow) {
  std::mt19937 random(7);
  const float specials[] = {kNan, kInfinity, -kInfinity, 0.0f, 1e38f, -1e38f, 3, -3};
  for (int round = 0; round < 2000; ++round) {
    Row row(1 + random() % 150);
    for (float& logit : row) logit = specials[random() % (round % 2 ? 8 : 3)];
    for (SamplingOptions options : AllKinds()) {
      options.logprobs = true;
      options.top_logprobs = 5;
      const Sampled sampled = Sampler(options, 0).Sample(row, {}, round, {});
      ASSERT_GE(sampled.token, 0);
      ASSERT_LT(sampled.token, static_cast<Token>(row.size()));
      ASSERT_LE(sampled.logprob, 0);
    }
  }
}

TEST(Sampler, GivesNoLogprobsUnlessAsked) {
  const Sampled sampled = Sampler({}, 0).Sample(RandomRow(100, 8), {}, 0, {});
  EXPECT_EQ(sampled.logprob, 0);
  EXPECT_TRUE(sampled.top.empty());
}

TEST(Sampler, GivesLogprobsOfTheModelsOwnDistribution) {
  const Row row = RandomRow(2000, 9);
  const std::vector<double> probabilities = Softmax(row, 1);
  for (SamplingOptions options : AllKinds()) {
    options.logprobs = true;
    if (options.temperature > 0) options.temperature = 0.7f;
    for (int variant = 0; variant < 2; ++variant) {
      options.presence_penalty = options.repetition_penalty = 1.0f + static_cast<float>(variant);
      options.logit_bias = {{7, 3.0f * static_cast<float>(variant)}};
      const Sampled sampled = Sampler(options, 1).Sample(row, Tokens{1, 2, 3}, 4, Tokens{5});
      EXPECT_NEAR(sampled.logprob, std::log(probabilities[sampled.token]), 1e-5);
    }
  }
}

TEST(Sampler, ListsTheLikeliestTokensWithTheirLogprobs) {
  Row row = RandomRow(5000, 10);
  row[3000] = row[20] = 30;
  const std::vector<double> probabilities = Softmax(row, 1);
  Tokens order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Token a, Token b) { return row[a] > row[b]; });
  for (SamplingOptions options : AllKinds()) {
    for (int count : {1, 2, 20, 500, 9999}) {
      options.top_logprobs = count;
      const Sampled sampled = Sampler(options, 0).Sample(row, {}, 0, Tokens{20});
      ASSERT_EQ(sampled.top.size(), std::min<size_t>(count, row.size()));
      for (size_t i = 0; i < sampled.top.size(); ++i) {
        ASSERT_EQ(sampled.top[i].token, order[i]);
        ASSERT_NEAR(sampled.top[i].logprob, std::log(probabilities[order[i]]), 1e-5);
      }
      EXPECT_EQ(sampled.logprob, 0);
    }
  }
}

TEST(Sampler, GivesTheChosenTokenTheSameLogprobAsTheList) {
  SamplingOptions options = Greedy();
  options.logprobs = true;
  options.top_logprobs = 3;
  const Sampled sampled = Sampler(options, 0).Sample(RandomRow(1000, 11), {}, 0, {});
  EXPECT_EQ(sampled.token, sampled.top[0].token);
  EXPECT_EQ(sampled.logprob, sampled.top[0].logprob);
}

}  // namespace
}  // namespace winnow
