#include <random>

#include "player.h"

namespace winnow {
namespace {

struct AdapterTest : testing::Test {
  void Open(int step, int cells, int sequences) {
    player = std::make_unique<Player>(Sized(step, cells, sequences));
    a = player->backend->LoadAdapter("a");
    b = player->backend->LoadAdapter("b");
  }

  static ScheduledRequest With(AdapterSet adapters, ScheduledRequest request) {
    request.adapters = std::move(adapters);
    return request;
  }

  std::unique_ptr<Player> player;
  AdapterId a = 0, b = 0;
};

TEST_F(AdapterTest, EverySetHasTheTextsOfItsOwn) {
  Open(16, 400, 16);
  std::vector<ScheduledRequest> requests;
  const std::vector<AdapterSet> sets{{}, {{a, 1}}, {{a, 0.5}}, {{b, 1}}, {{a, 1}, {b, 2}}};
  for (int i = 0; i < 20; ++i) requests.push_back(With(sets[i % 5], Generate(i + 1, Count(12), 8, 1 + i % 2)));
  for (const ScheduledRequest& request : requests) player->Add(request);
  player->Run();
  for (const ScheduledRequest& request : requests) player->ExpectTextsOfAlone(request);
  EXPECT_NE((player->texts[{1, 0}]), (player->texts[{2, 0}]));
  EXPECT_NE((player->texts[{2, 0}]), (player->texts[{3, 0}]));
  player->ExpectSameCells();
}

TEST_F(AdapterTest, CellsAreSharedWithinASetOnly) {
  Open(64, 400, 16);
  RequestId id = 0;
  for (const AdapterSet& set : {AdapterSet{}, AdapterSet{{a, 1}}, AdapterSet{{a, 0.5}}, AdapterSet{{a, 1}, {b, 1}}}) {
    for (int cached : {0, 31}) {
      player->Add(With(set, Generate(++id, Count(32), 1)));
      player->Run();
      EXPECT_EQ(player->finished[id].usage.cached_tokens, cached);
    }
  }
}

TEST_F(AdapterTest, NobodyFollowsThePromptOfAnotherSet) {
  Open(16, 400, 16);
  player->Add(Generate(1, Count(64), 1));
  player->Add(With({{a, 1}}, Generate(2, Count(64), 1)));
  player->Add(With({{a, 1}}, Generate(3, Count(64), 1)));
  player->Run();
  EXPECT_EQ(player->finished[2].usage.cached_tokens, 0);
  EXPECT_EQ(player->finished[3].usage.cached_tokens, 63);
}

TEST_F(AdapterTest, WhatRunsOnAPrefixHasItsAdapters) {
  Open(64, 400, 16);
  player->Add(With({{a, 1}}, Pin(1, Count(20))));
  player->Run();
  ScheduledRequest child = Generate(2, {}, 6);
  child.parent = 1;
  player->Add(child);
  player->Run();
  EXPECT_EQ((player->texts[{2, 0}]), Alone(*player->backend, Count(20), 6, 0, {{a, 1}}));
  EXPECT_EQ(player->finished[2].usage.cached_tokens, 20);
}

TEST_F(AdapterTest, TellsWhoIsInUse) {
  Open(64, 400, 16);
  player->Add(With({{a, 1}}, Generate(1, Count(8), 4)));
  player->Add(With({{b, 1}}, Pin(2, Count(8))));
  EXPECT_TRUE(player->scheduler.UsesAdapter(a));
  player->Run();
  EXPECT_FALSE(player->scheduler.UsesAdapter(a));
  EXPECT_TRUE(player->scheduler.UsesAdapter(b));
  player->scheduler.Release(2);
  EXPECT_FALSE(player->scheduler.UsesAdapter(b));
}

TEST_F(AdapterTest, AStepIsOneSetsAndRowsOfASetShareIt) {
  Open(64, 800, 32);
  for (int i = 0; i < 8; ++i) player->Add(With({{i % 2 == 0 ? a : b, 1}}, Generate(i + 1, Count(4, 'a' + i), 16)));
  player->Run();
  // 16 rows of each candidate's: the prompts' last row and 15 more, in steps of four.
  const auto full = std::count(player->row_counts.begin(), player->row_counts.end(), 4);
  EXPECT_EQ(full, 2 * 15);
}

// In a cache with room for all, whoever generates has a token within (sets − 1) · turn + 1 steps.
TEST_F(AdapterTest, NoSetWaitsLongerThanTheOthersTurns) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    Open(32, 4000, 64);
    std::vector<AdapterSet> sets{{}, {{a, 1}}, {{b, 1}}, {{a, 2}, {b, 1}}};
    std::map<RequestId, AdapterSet> set_of;
    const int bound = 3 * SchedulerOptions().adapter_turn_steps + 1;
    std::map<AdapterSet, int> last_step;
    int step = 0;
    player->on_plan = [&](const StepPlan& plan) {
      ++step;
      for (const PlanRow& row : plan.rows) ASSERT_EQ(set_of.at(row.request), plan.adapters);
      if (plan.rows.empty()) return;
      auto last = last_step.find(plan.adapters);
      if (last != last_step.end()) {
        ASSERT_LE(step - last->second, bound);
      }
      last_step[plan.adapters] = step;
    };
    // All of a set begin and end together, so that a set which is open has something to do.
    for (RequestId id = 1; id <= 12; ++id) {
      ScheduledRequest request = With(sets[id % 4], Generate(id, Count(1 + random() % 30), 40));
      set_of[id] = request.adapters;
      player->Add(std::move(request));
    }
    player->Run();
    EXPECT_EQ(player->finished.size(), 12u);
  }
}

// A long prompt of one set does not keep the candidates of another from going on.
TEST_F(AdapterTest, ALongPromptOfAnotherSetDoesNotHoldCandidatesUp) {
  Open(8, 2000, 8);
  player->Add(Generate(1, Count(4), 40));
  player->Step();
  player->Add(With({{a, 1}}, Generate(2, Count(800, 'c'), 1)));
  int steps = 0;
  while (player->finished.count(1) == 0 && steps < 1000) {
    player->Step();
    ++steps;
  }
  EXPECT_LE(steps, 2 * 40 + 8);
}

}  // namespace
}  // namespace winnow
