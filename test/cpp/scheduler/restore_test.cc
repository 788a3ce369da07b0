#include <gtest/gtest.h>

#include <vector>

#include "player.h"

// Prefixes that come out of a file.
namespace winnow {
namespace {

ScheduledRequest Saved(RequestId id, Tokens prompt) {
  ScheduledRequest request = Pin(id, std::move(prompt));
  request.is_saved = true;
  return request;
}

void AddSaved(Player* player, RequestId id, const Tokens& tokens) {
  player->files[id] = tokens;
  player->Add(Saved(id, tokens));
}

ScheduledRequest On(RequestId parent, ScheduledRequest request) {
  request.parent = parent;
  return request;
}

TEST(Restore, ASavedPrefixIsThereAfterOneStepWithoutEvaluation) {
  Player player(Sized(8, 256, 16));
  AddSaved(&player, 1, Count(40));
  player.Run();
  EXPECT_EQ(player.row_counts, (std::vector<int>{0}));
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 0);
  EXPECT_EQ(player.finished[1].usage.cached_tokens, 40);
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 40);
  player.ExpectSameCells();
}

TEST(Restore, ForksOfItShareItsCellsAndHaveTheTextsOfAFreshOne) {
  Player player(Sized(64, 256, 16));
  AddSaved(&player, 1, Count(40));
  player.Run();
  player.Add(On(1, Generate(2, {}, 5, /*candidates=*/3)));
  player.Add(On(1, Generate(3, Count(4, 'A'), 5)));
  player.Run();
  for (int i = 0; i < 3; ++i) EXPECT_EQ((player.texts[{2, i}]), Alone(*player.backend, Count(40), 5, i));
  Tokens longer = Count(40);
  for (Token token : Count(4, 'A')) longer.push_back(token);
  EXPECT_EQ((player.texts[{3, 0}]), Alone(*player.backend, longer, 5, 0));
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 0);
  EXPECT_EQ(player.finished[3].usage.evaluated_prompt_tokens, 4);
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 40);
  player.ExpectSameCells();
}

TEST(Restore, WhatIsInTheCacheAlreadyIsShared) {
  Player player(Sized(64, 256, 16));
  player.Add(Pin(1, Count(40)));
  player.Run();
  AddSaved(&player, 2, Count(40));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 1);  // The row that is kept with a prefix.
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 41);
}

TEST(Restore, WaitsUntilThereIsRoomForAllOfIt) {
  Player player(Sized(8, 64, 8));
  player.Add(Generate(1, Count(30), 20));
  for (int i = 0; i < 6; ++i) player.Step();
  AddSaved(&player, 2, Count(40, 'A'));
  player.Run();
  EXPECT_EQ(player.finished[2].error_code, "");
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 0);
  player.ExpectTextsOfAlone(Generate(1, Count(30), 20));
  player.ExpectSameCells();
}

TEST(Restore, TakesRoomFromLowerPriorities) {
  Player player(Sized(8, 100, 8));
  player.Add(Generate(1, Count(30), 20, /*candidates=*/4));
  for (int i = 0; i < 15; ++i) player.Step();
  ScheduledRequest saved = Saved(2, Count(40, 'A'));
  saved.priority = 2;
  player.files[2] = saved.prompt;
  player.Add(saved);
  while (player.finished.count(2) == 0 && player.Step()) {
  }
  EXPECT_EQ(player.finished.count(1), 0u);
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 0);
  EXPECT_GT(player.scheduler.counts().preemptions, 0);
  player.Run();
  player.ExpectTextsOfAlone(Generate(1, Count(30), 20, /*candidates=*/4));
}

TEST(Restore, OneThatFailsEndsAloneAndLeavesNoCells) {
  Player player(Sized(64, 256, 16));
  player.Add(Generate(1, Count(10), 6));
  player.Step();
  AddSaved(&player, 2, Count(40, 'A'));
  player.files[2].pop_back();
  player.Run();
  EXPECT_EQ(player.finished[2].error_code, "ERR_PREFIX_FILE");
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 0);
  EXPECT_EQ(player.scheduler.PrefixLength(2), -1);
  player.ExpectTextsOfAlone(Generate(1, Count(10), 6));
  player.ExpectSameCells();
}

TEST(Restore, AStepThatFailsLeavesNothingOfIt) {
  Player player(Sized(64, 256, 16));
  AddSaved(&player, 1, Count(40));
  StepPlan plan = player.scheduler.Plan(player.now);
  ASSERT_EQ(plan.restores.size(), 1u);
  player.scheduler.Fail(plan, "ERR_COMPUTE", "out of luck");
  EXPECT_EQ(player.scheduler.TakeFinished().size(), 1u);
  EXPECT_TRUE(player.scheduler.is_idle());
  EXPECT_EQ(player.scheduler.cache().num_used_cells(), 0);
}

}  // namespace
}  // namespace winnow
