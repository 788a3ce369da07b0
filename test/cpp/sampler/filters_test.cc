#include "sampler/filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<Token> Kept(const std::vector<float>& row, const SamplingOptions& options) {
  RowIndex index;
  RowWeights weights;
  Candidates candidates;
  index.Build(row);
  Filter(options, 1 / options.temperature, &index, &weights, &candidates);
  return {candidates.tokens().begin(), candidates.tokens().end()};
}

SamplingOptions Options(float temperature, int top_k, float top_p, float min_p) {
  SamplingOptions options;
  options.temperature = temperature;
  options.top_k = top_k;
  options.top_p = top_p;
  options.min_p = min_p;
  return options;
}

// Sorts everything, in double precision.
std::vector<Token> NaivelyKept(const std::vector<float>& row, const SamplingOptions& options) {
  std::vector<Token> tokens(row.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::stable_sort(tokens.begin(), tokens.end(), [&](Token a, Token b) { return row[a] > row[b]; });
  while (tokens.size() > 1 && row[tokens.back()] == -kInfinity) tokens.pop_back();
  if (options.top_k > 0) tokens.resize(std::min<size_t>(options.top_k, tokens.size()));
  const double max = row[tokens[0]];
  const auto weight = [&](Token token) { return std::exp((row[token] - max) / options.temperature); };
  if (options.top_p < 1) {
    double total = 0, sum = 0;
    for (Token token : tokens) total += weight(token);
    size_t count = 0;
    while (count < tokens.size() && (count == 0 || sum < options.top_p * total)) sum += weight(tokens[count++]);
    tokens.resize(count);
  }
  if (options.min_p > 0) {
    while (tokens.size() > 1 && weight(tokens.back()) < options.min_p) tokens.pop_back();
  }
  std::sort(tokens.begin(), tokens.end());
  return tokens;
}

TEST(Filter, KeepsTheTopK) {
  EXPECT_EQ(Kept({1, 5, 3, 4, 2}, Options(1, 2, 1, 0)), (std::vector<Token>{1, 3}));
  EXPECT_EQ(Kept({1, 5, 3, 4, 2}, Options(1, 99, 1, 0)), (std::vector<Token>{0, 1, 2, 3, 4}));
}

TEST(Filter, PrefersLowIdsAmongEqualLogits) {
  EXPECT_EQ(Kept({1, 2, 2, 2, 0}, Options(1, 2, 1, 0)), (std::vector<Token>{1, 2}));
  EXPECT_EQ(Kept(std::vector<float>(1000, 0.5f), Options(1, 3, 1, 0)), (std::vector<Token>{0, 1, 2}));
  EXPECT_EQ(Kept(std::vector<float>(1000, 0.5f), Options(1, 0, 0.0025f, 0)), (std::vector<Token>{0, 1, 2}));
}

TEST(Filter, KeepsTheFewestTokensThatReachTopP) {
  const std::vector<float> row = {std::log(0.5f), std::log(0.1f), std::log(0.3f), std::log(0.1f)};
  EXPECT_EQ(Kept(row, Options(1, 0, 0.45f, 0)), (std::vector<Token>{0}));
  EXPECT_EQ(Kept(row, Options(1, 0, 0.55f, 0)), (std::vector<Token>{0, 2}));
  EXPECT_EQ(Kept(row, Options(1, 0, 0.85f, 0)), (std::vector<Token>{0, 1, 2}));
  EXPECT_EQ(Kept(row, Options(1, 0, 0.95f, 0)), (std::vector<Token>{0, 1, 2, 3}));
  EXPECT_EQ(Kept(row, Options(1, 0, 0, 0)), (std::vector<Token>{0}));
}

TEST(Filter, TakesTopPOfWhatTopKLeaves) {
  const std::vector<float> row = {std::log(0.5f), std::log(0.1f), std::log(0.3f), std::log(0.1f)};
  EXPECT_EQ(Kept(row, Options(1, 2, 0.6f, 0)), (std::vector<Token>{0}));  // 0.5 ÷ 0.8 reaches it.
}

TEST(Filter, KeepsWhatReachesMinPOfTheLikeliest) {
  const std::vector<float> row = {std::log(0.5f), std::log(0.1f), std::log(0.3f), std::log(0.1f)};
  EXPECT_EQ(Kept(row, Options(1, 0, 1, 0.19f)), (std::vector<Token>{0, 1, 2, 3}));
  EXPECT_EQ(Kept(row, Options(1, 0, 1, 0.21f)), (std::vector<Token>{0, 2}));
  EXPECT_EQ(Kept(row, Options(1, 0, 1, 7)), (std::vector<Token>{0}));
}

TEST(Filter, NeverKeepsWhatIsImpossible) {
  EXPECT_EQ(Kept({-kInfinity, 1, -kInfinity, 0}, Options(1, 3, 1, 0)), (std::vector<Token>{1, 3}));
  EXPECT_EQ(Kept({-kInfinity, 1, -kInfinity}, Options(1, 0, 0.999f, 0)), (std::vector<Token>{1}));
}

TEST(Filter, TakesExtremeTemperatures) {
  EXPECT_EQ(Kept({3, 1, 2}, Options(1e-30f, 0, 0.9f, 0.1f)), (std::vector<Token>{0}));
  EXPECT_EQ(Kept({3, 1, 2}, Options(1e30f, 0, 0.9f, 0.1f)), (std::vector<Token>{0, 1, 2}));
}

TEST(Filter, AgreesWithSortingEverything) {
  std::mt19937 random(5);
  const size_t sizes[] = {1, 2, 50, 64, 65, 500, 5000};
  const float spreads[] = {0.1f, 1, 4, 12};
  const auto pick = [&](auto& values) { return values[random() % (sizeof(values) / sizeof(values[0]))]; };
  for (int round = 0; round < 1500; ++round) {
    std::normal_distribution<float> normal(-3, pick(spreads));
    std::vector<float> row(pick(sizes));
    for (float& logit : row) logit = normal(random);
    if (round % 3 == 0) {
      for (float& logit : row) logit = std::round(logit);  // Many ties.
    }
    if (round % 5 == 0) row[random() % row.size()] = -kInfinity;
    if (round % 5 == 0) row[random() % row.size()] = 0;
    const int top_ks[] = {0, 0, 1, 7, 40, 1000};
    const float top_ps[] = {1, 1, 0.123f, 0.5f, 0.9f, 0.99f};
    const float min_ps[] = {0, 0, 0.013f, 0.31f};
    const float temperatures[] = {0.3f, 0.7f, 1, 2};
    const SamplingOptions options = Options(pick(temperatures), pick(top_ks), pick(top_ps), pick(min_ps));
    if (!HasFilters(options)) continue;
    ASSERT_EQ(Kept(row, options), NaivelyKept(row, options))
        << "round " << round << ": T " << options.temperature << ", top-k " << options.top_k << ", top-p "
        << options.top_p << ", min-p " << options.min_p << ", " << row.size() << " logits";
  }
}

}  // namespace
}  // namespace winnow
