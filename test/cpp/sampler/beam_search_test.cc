#include "sampler/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace winnow {
namespace {

using Row = std::vector<float>;
using Tokens = std::vector<Token>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Token kEnd = 0;

// A small random language: the row behind a text depends on all of it.
Row RowBehind(const Tokens& text, size_t vocabulary, unsigned seed) {
  for (Token token : text) seed = seed * 31 + static_cast<unsigned>(token) + 7;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1.5f);
  Row row(vocabulary);
  for (float& logit : row) logit = normal(random);
  return row;
}

using Language = std::function<Row(const Tokens&)>;

struct Search {
  BeamOptions options;
  SamplingOptions sampling;
  Tokens prompt;
  Tokens end_tokens{kEnd};
  Tokens banned;
};

std::vector<Hypothesis> Find(const Search& search, const Language& language) {
  BeamSearch beams(search.sampling, search.options, search.prompt, search.end_tokens, search.banned);
  std::vector<Tokens> texts(1);
  while (true) {
    bool is_last = false;
    for (size_t i = texts.size(); i-- > 0;) is_last = beams.Read(static_cast<int>(i), language(texts[i]));
    EXPECT_TRUE(is_last);
    std::vector<Tokens> next;
    for (const BeamStep& step : beams.Advance()) {
      next.push_back(texts[step.parent]);
      next.back().push_back(step.token);
    }
    if (next.empty()) return beams.finished();
    EXPECT_LE(static_cast<int>(next.size()), search.options.num_beams);
    texts = next;
  }
}

double LogprobOf(const Row& row, Token token) {
  double sum = 0;
  for (float logit : row) sum += std::exp(static_cast<double>(logit));
  return row[token] - std::log(sum);
}

// Every text that there is.
void Enumerate(const Search& search, const Language& language, const Tokens& text, double logprob,
               std::vector<Hypothesis>* all) {
  const Row row = language(text);
  for (Token token = 0; token < static_cast<Token>(row.size()); ++token) {
    const bool is_end = token == kEnd;
    if (is_end && static_cast<int>(text.size()) < search.options.min_tokens) continue;
    Hypothesis hypothesis;
    hypothesis.tokens = text;
    hypothesis.tokens.push_back(token);
    hypothesis.logprob = logprob + LogprobOf(row, token);
    if (is_end || static_cast<int>(hypothesis.tokens.size()) == search.options.max_tokens) {
      const double length = static_cast<double>(hypothesis.tokens.size());
      hypothesis.score = hypothesis.logprob / std::pow(length, search.options.length_penalty);
      all->push_back(std::move(hypothesis));
    } else {
      Enumerate(search, language, hypothesis.tokens, hypothesis.logprob, all);
    }
  }
}

std::vector<Hypothesis> BestOfAll(const Search& search, const Language& language) {
  std::vector<Hypothesis> all;
  Enumerate(search, language, {}, 0, &all);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

TEST(BeamSearch, WithRoomForAllTextsFindsTheBestOfAll) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    for (float length_penalty : {0.0f, 0.7f, 1.0f, 2.0f, -0.5f}) {
      const Language language = [seed](const Tokens& text) { return RowBehind(text, 4, seed); };
      Search search;
      search.options = {/*num_beams=*/200, /*max_tokens=*/4, /*min_tokens=*/static_cast<int>(seed % 3), length_penalty,
                        /*early_stopping=*/false};
      const std::vector<Hypothesis> found = Find(search, language);
      const std::vector<Hypothesis> all = BestOfAll(search, language);
      ASSERT_EQ(found.size(), std::min<size_t>(200, all.size()));
      for (size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(found[i].tokens, all[i].tokens) << seed << " " << length_penalty;
        EXPECT_NEAR(found[i].score, all[i].score, 1e-4);
      }
    }
  }
}

TEST(BeamSearch, StopsOnlyWhenNothingBetterCanCome) {
  // What ends late ends better than what ends at once: only the exact bound finds it.
  const Language language = [](const Tokens& text) {
    return text.empty() ? Row{1.0f, 0.9f, -9} : text.size() < 3 ? Row{-1, 6, -9} : Row{9, 0, 0};
  };
  Search search;
  search.options = {/*num_beams=*/1, /*max_tokens=*/6, 0, /*length_penalty=*/1, /*early_stopping=*/true};
  EXPECT_EQ(Find(search, language)[0].tokens, (Tokens{kEnd}));
  search.options.early_stopping = false;
  EXPECT_EQ(Find(search, language)[0].tokens, (Tokens{1, 1, 1, kEnd}));
}

TEST(BeamSearch, OneBeamIsGreedy) {
  const Language language = [](const Tokens& text) { return RowBehind(text, 50, 3); };
  Search search;
  search.options = {1, 10, 0, 1, true};
  search.end_tokens = {};
  const std::vector<Hypothesis> found = Find(search, language);
  Tokens greedy;
  for (int i = 0; i < 10; ++i) {
    const Row row = language(greedy);
    greedy.push_back(static_cast<Token>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].tokens, greedy);
  EXPECT_FALSE(found[0].has_end);
}

TEST(BeamSearch, LogProbabilitiesAreTheModelsAndSumUp) {
  const Language language = [](const Tokens& text) { return RowBehind(text, 20, 8); };
  Search search;
  search.options = {3, 6, 0, 0.5f, false};
  for (const Hypothesis& found : Find(search, language)) {
    Tokens text;
    double sum = 0;
    for (size_t i = 0; i < found.tokens.size(); ++i) {
      const double logprob = LogprobOf(language(text), found.tokens[i]);
      EXPECT_NEAR(found.logprobs[i], logprob, 1e-5);
      sum += logprob;
      text.push_back(found.tokens[i]);
    }
    EXPECT_NEAR(found.logprob, sum, 1e-5);
    EXPECT_EQ(found.has_end, found.tokens.back() == kEnd);
  }
}

TEST(BeamSearch, EndsNotBeforeMinTokens) {
  const Language language = [](const Tokens&) { return Row{9, 1, 0}; };
  Search search;
  search.options = {2, 8, /*min_tokens=*/3, 1, true};
  for (const Hypothesis& found : Find(search, language)) EXPECT_EQ(found.tokens.size(), 4u);
}

TEST(BeamSearch, BlocksNgramsOfEachTextAndOfTheContextIfThatCounts) {
  const Language language = [](const Tokens&) { return Row{-9, 3, 2, 1}; };
  Search search;
  search.options = {2, 6, 0, 1, true};
  search.prompt = {1, 2};
  search.sampling.ngram_penalties = {{2, kInfinity}};
  Tokens best = Find(search, language)[0].tokens;  // 1 1 2 1 3 1 or 1 2 1 1 3 1, which are as likely.
  std::set<std::pair<Token, Token>> pairs;
  for (size_t i = 1; i < best.size(); ++i) EXPECT_TRUE(pairs.insert({best[i - 1], best[i]}).second);
  std::sort(best.begin(), best.end());
  EXPECT_EQ(best, (Tokens{1, 1, 1, 1, 2, 3}));
  search.sampling.ngram_context = true;
  for (const Hypothesis& found : Find(search, language)) {
    Tokens all = search.prompt;
    all.insert(all.end(), found.tokens.begin(), found.tokens.end());
    for (size_t i = 2; i < all.size(); ++i) EXPECT_FALSE(all[i - 1] == 1 && all[i] == 2) << "the prompt has 1 2";
  }
}

TEST(BeamSearch, GoesOnWithFewerWhereFewTokensMayCome) {
  const Language language = [](const Tokens& text) {
    return text.empty() ? Row{-kInfinity, 1, -kInfinity} : Row{0, 1, std::nanf("")};
  };
  Search search;
  search.options = {3, 3, 0, 1, true};
  const std::vector<Hypothesis> found = Find(search, language);
  ASSERT_EQ(found.size(), 3u);
  for (const Hypothesis& hypothesis : found) EXPECT_EQ(hypothesis.tokens[0], 1);
}

TEST(BeamSearch, EndsWhereNothingMayCome) {
  Search search;
  search.options = {3, 3, 0, 1, true};
  EXPECT_TRUE(Find(search, [](const Tokens&) { return Row{-kInfinity, -kInfinity}; }).empty());
  EXPECT_TRUE(Find(search, [](const Tokens&) { return Row{kInfinity, 0}; }).empty());
  search.banned = {1};
  search.options.min_tokens = 1;
  EXPECT_TRUE(Find(search, [](const Tokens&) { return Row{0, 0}; }).empty());
}

}  // namespace
}  // namespace winnow
