#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "fixture.h"

namespace winnow {
namespace {

// P(first label) of a question behind a text.
Check FirstOf(const std::string& suffix, const std::vector<std::string>& labels, double least) {
  Check check;
  check.question.suffix = Tokens(suffix);
  for (const std::string& label : labels) {
    check.question.labels.push_back(Tokens(label));
    check.scales.push_back(1);
    check.offsets.push_back(0);
    check.weights.push_back(check.weights.empty() ? 1 : 0);
  }
  check.least = least;
  return check;
}

double ExpectedValue(const FakeBackend& backend, const Check& check, const std::string& text) {
  std::vector<Token> context = Tokens(text);
  context.insert(context.end(), check.question.suffix.begin(), check.question.suffix.end());
  double total = 0;
  for (const auto& label : check.question.labels) total += std::exp(LogprobOf(backend, context, label));
  return std::exp(LogprobOf(backend, context, check.question.labels[0])) / total;
}

Request Sampled(int candidates, int max_tokens) {
  Request request = Greedy("context ", max_tokens);
  request.num_candidates = candidates;
  request.sampling.temperature = 1;
  request.sampling.seed = 11;
  request.sampling.top_k = 16;  // Letters.
  return request;
}

TEST_F(EngineTest, ACheckSeesTheTextSoFarAndStopsWhoFailsIt) {
  Open("fake");
  Request request = Sampled(8, 24);
  request.checks.every = 6;
  request.checks.checks = {FirstOf(" ok?", {"y", "n"}, 0.5)};
  Inbox::Received received = Run(request);
  int num_rejected = 0;
  for (const CheckEvent& check : received.checks) {
    const std::string seen = received.texts[check.candidate].substr(0, check.num_tokens);
    EXPECT_EQ(check.num_tokens % 6, 0);
    EXPECT_NEAR(check.values.at(0), ExpectedValue(*fake, request.checks.checks[0], "context " + seen), 1e-4);
    EXPECT_EQ(check.failed, check.values[0] < 0.5 ? 0 : -1);
    if (check.failed < 0) continue;
    ++num_rejected;
    EXPECT_EQ(received.candidates[check.candidate].reason, FinishReason::kRejected);
    EXPECT_EQ(received.candidates[check.candidate].num_tokens, check.num_tokens);
    EXPECT_EQ(received.tokens[check.candidate].size(), static_cast<size_t>(check.num_tokens));
  }
  EXPECT_GT(num_rejected, 0);
  EXPECT_LT(num_rejected, 8);
  EXPECT_EQ(received.candidates.size(), 8u);
}

TEST_F(EngineTest, ChecksLeaveTheTextsOfThoseThatPassAlone) {
  Open("fake", /*step=*/16, /*cells=*/200, /*sequences=*/9);
  Request request = Sampled(6, 20);
  Inbox::Received plain = Run(request);
  request.checks.every = 4;
  request.checks.checks = {FirstOf(" ok?", {"y", "n"}, 0.05), FirstOf("", {"a", "b"}, 0.02)};
  Inbox::Received checked = Run(request);
  int num_passed = 0;
  for (int i = 0; i < 6; ++i) {
    const bool passes = checked.candidates[i].reason != FinishReason::kRejected;
    num_passed += passes;
    EXPECT_EQ(checked.texts[i], passes ? plain.texts[i] : plain.texts[i].substr(0, checked.texts[i].size()));
  }
  EXPECT_GT(num_passed, 0);
  EXPECT_LT(num_passed, 6);
}

TEST_F(EngineTest, ARefillIsTheCandidateOfThatNumber) {
  Open("fake");
  Inbox::Received many = Run(Sampled(12, 20));
  Request request = Sampled(4, 20);
  request.checks.every = 5;
  request.checks.max_refills = 8;
  request.checks.checks = {FirstOf(" ok?", {"y", "n"}, 0.5)};
  Inbox::Received received = Run(request);
  ASSERT_GT(received.candidates.size(), 4u);
  ASSERT_LE(received.candidates.size(), 12u);
  for (const auto& [candidate, text] : received.texts) {
    EXPECT_EQ(text, many.texts[candidate].substr(0, text.size())) << candidate;
  }
}

TEST_F(EngineTest, ChecksAreNotAskedBeforeTheirTimeNorBehindTheLastToken) {
  Open("fake");
  Request request = Sampled(1, 12);
  request.checks.every = 4;
  request.checks.after = 8;
  request.checks.checks = {FirstOf(" ok?", {"y", "n"}, 0)};
  Inbox::Received received = Run(request);
  ASSERT_EQ(received.checks.size(), 1u);
  EXPECT_EQ(received.checks[0].num_tokens, 8);
}

TEST_F(EngineTest, ChecksMayComeWhereSentencesEnd) {
  Open("fake");
  Request request = Sampled(1, 60);
  request.sampling.logit_bias = {{'.', 7.0f}, {' ', 2.0f}};
  request.checks.checks = {FirstOf("?", {"y", "n"}, 0)};
  Inbox::Received received = Run(request);
  std::set<int> expected;
  bool is_at_end = false;
  for (int i = 0; i + 1 < 60; ++i) {
    const char c = received.texts[0][i];
    const bool was_at_end = is_at_end;
    is_at_end = std::string(".?!").find(c) != std::string::npos ||
                (is_at_end && std::string(" \t\n\r\"')]}*").find(c) != std::string::npos);
    if (is_at_end && !was_at_end) expected.insert(i + 1);
  }
  std::set<int> asked;
  for (const CheckEvent& check : received.checks) asked.insert(check.num_tokens);
  EXPECT_EQ(asked, expected);
  EXPECT_GT(expected.size(), 2u);
}

TEST_F(EngineTest, QuestionsAreAskedOfThoseThatPassedTheirChecks) {
  Open("fake");
  Request request = Sampled(8, 12);
  request.questions = {{Tokens("?"), {Tokens("y"), Tokens("n")}}};
  request.checks.every = 6;
  request.checks.checks = {FirstOf(" ok?", {"y", "n"}, 0.5)};
  Inbox::Received received = Run(request);
  std::set<int> passed;
  for (const auto& [candidate, end] : received.candidates) {
    if (end.reason != FinishReason::kRejected) passed.insert(candidate);
  }
  std::set<int> scored;
  for (const ScoreEvent& score : received.scores) scored.insert(score.candidate);
  EXPECT_EQ(scored, passed);
}

TEST_F(EngineTest, RefusesChecksThatNoStepCanHold) {
  Open("fake", /*step=*/8);
  Request request = Sampled(2, 12);
  request.checks.every = 4;
  request.checks.checks = {FirstOf("a long question?", {"y", "n"}, 0.5)};
  EXPECT_EQ(Run(request).error.code, "ERR_OPTION_VALUE");
}

}  // namespace
}  // namespace winnow
