#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "sampler/adjust_logits.h"
#include "sampler/sampler.h"

namespace winnow {
namespace {

using Row = std::vector<float>;
using Tokens = std::vector<Token>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Of a row of six zeros.
Row Adjusted(const SamplingOptions& options, const Tokens& history, size_t text_begin = 0) {
  Row row(6, 0.0f);
  std::vector<int> counts;
  AdjustLogits(options, {history, text_begin}, {}, row, &counts);
  for (int count : counts) EXPECT_EQ(count, 0);
  return row;
}

SamplingOptions Blocking(int size) {
  SamplingOptions options;
  options.ngram_penalties = {{size, kInfinity}};
  return options;
}

TEST(Ngrams, WhatWouldRepeatOneIsBlocked) {
  // 1 2 3 and 1 2 4 have been said; behind 1 2 neither may come again.
  EXPECT_EQ(Adjusted(Blocking(3), {1, 2, 3, 1, 2, 4, 5, 1, 2}), (Row{0, 0, 0, -kInfinity, -kInfinity, 0}));
  EXPECT_EQ(Adjusted(Blocking(3), {1, 2, 3, 5, 2}), Row(6, 0.0f));
}

TEST(Ngrams, MayOverlap) {
  EXPECT_EQ(Adjusted(Blocking(3), {2, 2, 2}), (Row{0, 0, -kInfinity, 0, 0, 0}));
  EXPECT_EQ(Adjusted(Blocking(2), {2, 2}), (Row{0, 0, -kInfinity, 0, 0, 0}));
}

TEST(Ngrams, OfOneTokenBlockWhateverOccurred) {
  EXPECT_EQ(Adjusted(Blocking(1), {4, 0}), (Row{-kInfinity, 0, 0, 0, -kInfinity, 0}));
}

TEST(Ngrams, ThatAreLongerThanTheTextBlockNothing) {
  EXPECT_EQ(Adjusted(Blocking(3), {}), Row(6, 0.0f));
  EXPECT_EQ(Adjusted(Blocking(3), {1, 1}), Row(6, 0.0f));
  EXPECT_EQ(Adjusted(Blocking(64), {1, 1, 1}), Row(6, 0.0f));
}

TEST(Ngrams, OfThePromptCountOnlyIfTheContextDoes) {
  const Tokens history = {1, 2, 3, /*text:*/ 5, 1, 2};
  EXPECT_EQ(Adjusted(Blocking(3), history, 3), Row(6, 0.0f));
  SamplingOptions options = Blocking(3);
  options.ngram_context = true;
  EXPECT_EQ(Adjusted(options, history, 3), (Row{0, 0, 0, -kInfinity, 0, 0}));
}

TEST(Ngrams, AcrossTheEndOfThePromptAreNoneOfTheText) {
  const Tokens history = {1, /*text:*/ 2, 3, 1, 2};
  EXPECT_EQ(Adjusted(Blocking(3), history, 1), Row(6, 0.0f));  // 1 2 3 begins in the prompt.
  SamplingOptions options = Blocking(3);
  options.ngram_context = true;
  EXPECT_EQ(Adjusted(options, history, 1), (Row{0, 0, 0, -kInfinity, 0, 0}));
}

TEST(Ngrams, ArePenalisedOncePerOccurrence) {
  SamplingOptions options;
  options.ngram_penalties = {{3, 1}, {4, 2}};
  // Behind 0 1 2: 3 has followed twice (1 2 3), once of them behind 0 1 2; 4 has followed once, behind 5 1 2.
  const Tokens history = {0, 1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 4, 0, 1, 2};
  EXPECT_EQ(Adjusted(options, history), (Row{0, 0, 0, -(2 * 1 + 1 * 2), -1, 0}));
}

TEST(Ngrams, OfIdsOutsideTheVocabularyAreIgnored) { EXPECT_EQ(Adjusted(Blocking(2), {99, 99, -3, 99}), Row(6, 0.0f)); }

TEST(Ngrams, AreKeptOutOfGreedyTexts) {
  SamplingOptions options = Blocking(2);
  options.temperature = 0;
  Sampler sampler(options, 0, /*prompt_length=*/1);
  Tokens sequence = {7};
  for (Position position = 1; position <= 9; ++position) {
    sequence.push_back(sampler.Sample(Row{3, 2, 1}, sequence, position, {}).token);
  }
  // 0 0, then each pair once: by the best that is left. Then no pair is left, and the lowest id comes.
  EXPECT_EQ(sequence, (Tokens{7, 0, 0, 1, 0, 2, 0, 0, 0, 0}));
}

TEST(SequenceBias, AppliesWhereTheLastTokenWouldCompleteIt) {
  SamplingOptions options;
  options.sequence_bias = {{{1, 2, 3}, -4}, {{2, 3}, 1}, {{5, 4}, -kInfinity}};
  EXPECT_EQ(Adjusted(options, {0, 1, 2}), (Row{0, 0, 0, -3, 0, 0}));
  EXPECT_EQ(Adjusted(options, {2}), (Row{0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(Adjusted(options, {1, 5}), (Row{0, 0, 0, 0, -kInfinity, 0}));
  EXPECT_EQ(Adjusted(options, {}), Row(6, 0.0f));
  EXPECT_EQ(Adjusted(options, {2, 1}), Row(6, 0.0f));
}

TEST(SequenceBias, LooksAtThePrompt) {
  SamplingOptions options;
  options.sequence_bias = {{{1, 2}, -4}};
  EXPECT_EQ(Adjusted(options, {0, 1}, /*text_begin=*/2), (Row{0, 0, -4, 0, 0, 0}));
}

}  // namespace
}  // namespace winnow
