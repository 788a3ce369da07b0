#include "sampler/adjust_logits.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> Adjusted(const SamplingOptions& options, std::vector<float> logits,
                            const std::vector<Token>& history, const std::vector<Token>& banned = {},
                            size_t text_begin = 0) {
  std::vector<int> counts;
  AdjustLogits(options, {history, text_begin}, banned, logits, &counts);
  for (int count : counts) EXPECT_EQ(count, 0);
  return logits;
}

TEST(AdjustLogits, AddsTheBias) {
  SamplingOptions options;
  options.logit_bias = {{1, 2.5f}, {0, -kInfinity}, {1, 1.0f}};
  EXPECT_EQ(Adjusted(options, {1, 2, 3}, {}), (std::vector<float>{-kInfinity, 5.5f, 3}));
}

TEST(AdjustLogits, DividesPositiveAndMultipliesNegativeLogitsOfTokensThatOccurred) {
  SamplingOptions options;
  options.repetition_penalty = 2;
  EXPECT_EQ(Adjusted(options, {4, -4, 4, -4}, {0, 1, 0}), (std::vector<float>{2, -8, 4, -4}));
}

TEST(AdjustLogits, SubtractsFrequencyPerOccurrenceAndPresenceOnce) {
  SamplingOptions options;
  options.frequency_penalty = 0.5f;
  options.presence_penalty = 10;
  EXPECT_EQ(Adjusted(options, {0, 0, 0}, {2, 0, 2, 2}), (std::vector<float>{-10.5f, 0, -11.5f}));
}

TEST(AdjustLogits, AppliesRepetitionBeforeTheOthersAndBiasBeforeAll) {
  SamplingOptions options;
  options.logit_bias = {{0, 4.0f}};
  options.repetition_penalty = 2;
  options.presence_penalty = 1;
  EXPECT_EQ(Adjusted(options, {4}, {0}), (std::vector<float>{3}));  // (4 + 4) ÷ 2 − 1
}

TEST(AdjustLogits, LooksAtTheLastTokensOnly) {
  SamplingOptions options;
  options.presence_penalty = 1;
  options.penalty_window = 2;
  EXPECT_EQ(Adjusted(options, {0, 0, 0}, {0, 1, 2}), (std::vector<float>{0, -1, -1}));
  options.penalty_window = 99;
  EXPECT_EQ(Adjusted(options, {0, 0, 0}, {0, 1, 2}), (std::vector<float>{-1, -1, -1}));
}

TEST(AdjustLogits, LooksAtTheWholeSequenceWithAWindowOfZero) {
  SamplingOptions options;
  options.frequency_penalty = 1;
  options.penalty_window = 0;
  EXPECT_EQ(Adjusted(options, {0}, std::vector<Token>(500, 0)), (std::vector<float>{-500}));
}

TEST(AdjustLogits, BansAfterEverythingElse) {
  SamplingOptions options;
  options.logit_bias = {{1, 100.0f}};
  EXPECT_EQ(Adjusted(options, {1, 2}, {}, {1, 1}), (std::vector<float>{1, -kInfinity}));
}

TEST(AdjustLogits, IgnoresIdsOutsideTheVocabulary) {
  SamplingOptions options;
  options.logit_bias = {{-1, 1.0f}, {2, 1.0f}, {2147483647, 1.0f}};
  options.presence_penalty = 1;
  EXPECT_EQ(Adjusted(options, {1, 2}, {-5, 2, 1000000}, {-1, 2}), (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace winnow
