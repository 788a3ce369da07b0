#include <gtest/gtest.h>

#include <vector>

#include "player.h"

namespace winnow {
namespace {

ScheduledRequest Checked(int max_tokens, int candidates, Questions checks, int max_refills = 0) {
  ScheduledRequest request = Generate(1, Count(10), max_tokens, candidates);
  request.checks = std::move(checks);
  request.max_refills = max_refills;
  return request;
}

TEST(Checks, RunInTheStepOfTheTokenBeforeThem) {
  Player player(Sized(64, 256, 8));
  player.check_every = 2;
  player.Add(Checked(6, 1, {Question(3), Question(1, 2)}));
  player.Run();
  const int rows = 3 + 3;
  // The prompt and its token, then one step per token: those behind tokens 2 and 4 carry the checks.
  EXPECT_EQ(player.row_counts, (std::vector<int>{10, 1, 1 + rows, 1, 1 + rows, 1}));
  EXPECT_EQ(player.finished[1].usage.question_tokens, 2 * rows);
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 10 + 2 * rows);
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 6);
  EXPECT_EQ((player.texts[{1, 0}]), Alone(*player.backend, Count(10), 6, 0));
  player.ExpectSameCells();
}

TEST(Checks, OfLabelsWithOneTokenAreReadOffTheCandidatesOwnRow) {
  Player player(Sized(64, 256, 1));
  player.check_every = 1;
  player.Add(Checked(3, 1, {Question(0)}));
  player.Run();
  EXPECT_EQ(player.row_counts, (std::vector<int>{10, 1, 1}));
  EXPECT_EQ(player.checks, (std::vector<std::vector<int>>{{0, 0, -1}, {0, 0, -1}}));
}

TEST(Checks, AStoppedCandidateDrawsNothingMoreAndGivesItsCellsBack) {
  Player player(Sized(64, 256, 16));
  player.check_every = 4;
  player.rejects = [](int candidate, int length) { return candidate % 2 == 1 && length == 4; };
  ScheduledRequest request = Checked(20, 4, {Question(2)});
  request.questions = {Question(1)};
  player.Add(request);
  for (int i = 0; i < 6; ++i) player.Step();  // The prompt, four tokens, and the first step without two of them.
  EXPECT_EQ(player.scheduler.cache().num_busy_sequences(), 2);
  EXPECT_EQ(player.scheduler.cache().num_used_cells(), 10 + 2 * 5);
  player.Run();
  for (int i : {1, 3}) EXPECT_EQ((player.texts[{1, i}].size()), 4u);
  for (int i : {0, 2}) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(10), 20, i));
  EXPECT_EQ(player.scores.count({1, 1, 0, 0}), 0u) << "nothing is asked of a stopped candidate";
  EXPECT_EQ(player.scores.size(), 2u);
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 2 * 20 + 2 * 4);
  player.ExpectSameCells();
}

TEST(Checks, TheLastCandidatesPromptStaysCached) {
  Player player(Sized(64, 256, 16));
  player.check_every = 2;
  player.rejects = [](int, int) { return true; };
  player.Add(Checked(20, 3, {Question(2)}));
  player.Run();
  player.Add(Generate(2, Count(10), 1));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 9);
}

TEST(Checks, ARefillHasTheNextNumberAndCostsTheLastTokenOfThePrompt) {
  Player player(Sized(64, 256, 16));
  player.check_every = 3;
  player.rejects = [](int candidate, int) { return candidate < 2; };
  player.Add(Checked(5, 2, {Question(2)}, /*max_refills=*/4));
  player.Run();
  for (int i : {0, 1}) EXPECT_EQ((player.texts[{1, i}].size()), 3u);
  for (int i : {2, 3}) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(10), 5, i));
  EXPECT_EQ(player.texts.size(), 4u) << "candidates that pass are not replaced";
  EXPECT_EQ(player.finished[1].usage.recomputed_tokens, 2);
  player.ExpectSameCells();
}

TEST(Checks, RefillsEnd) {
  Player player(Sized(64, 256, 16));
  player.check_every = 1;
  player.rejects = [](int, int) { return true; };
  player.Add(Checked(5, 2, {Question(2)}, /*max_refills=*/3));
  player.Run();
  EXPECT_EQ(player.texts.size(), 5u);
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 5);
}

TEST(Checks, ARefillBehindAPinnedPrefixDrawsFromItsLastRow) {
  Player player(Sized(64, 256, 16));
  player.Add(Pin(7, Count(10)));
  player.Run();
  player.check_every = 2;
  player.rejects = [](int candidate, int) { return candidate == 0; };
  ScheduledRequest request = Checked(4, 1, {Question(2)}, /*max_refills=*/1);
  request.prompt.clear();
  request.parent = 7;
  player.Add(request);
  player.Run();
  EXPECT_EQ((player.texts[{1, 1}]), Alone(*player.backend, Count(10), 4, 1));
}

TEST(Checks, WaitForAStepThatHasRoomForThemWhole) {
  Player player(Sized(8, 256, 32));
  player.check_every = 2;
  player.Add(Checked(9, 5, {Question(5)}));
  player.Run();
  for (int i = 0; i < 5; ++i) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(10), 9, i));
  EXPECT_EQ(player.checks.size(), 5u * 4);
}

TEST(Checks, CandidatesTakeTurnsWhereSequencesAreShort) {
  Player player(Sized(64, 256, 5));
  player.check_every = 2;
  player.Add(Checked(9, 4, {Question(3)}));
  player.Run();
  for (int i = 0; i < 4; ++i) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(10), 9, i));
  EXPECT_EQ(player.checks.size(), 4u * 4);
}

}  // namespace
}  // namespace winnow
