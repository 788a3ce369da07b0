#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "player.h"

// The target between tokens, on a machine whose steps take 10 ms and 1 ms more per row.
namespace winnow {
namespace {

constexpr double kTarget = 30;
double StepMs(int rows) { return 10.0 + rows; }

SchedulerOptions Paced(double target = kTarget) {
  SchedulerOptions options = Sized(256, 20000, 64);
  options.target_inter_token_ms = target;
  return options;
}

ScheduledRequest WithPriority(ScheduledRequest request, double priority) {
  request.priority = priority;
  return request;
}

// Plays on that machine and notes when each token of each request came.
class PacedPlayer : public Player {
 public:
  explicit PacedPlayer(const SchedulerOptions& options) : Player(options) {
    step_ms = StepMs;
    on_plan = [this](const StepPlan& plan) {
      const TimeMs end = now + static_cast<TimeMs>(StepMs(static_cast<int>(plan.rows.size())));
      for (const PlanRead& read : plan.reads) {
        if (read.kind == PlanRead::Kind::kSample) times[read.request].push_back(end);
      }
    };
  }

  std::vector<TimeMs> GapsOf(RequestId id) {
    std::vector<TimeMs> gaps;
    for (size_t i = 1; i < times[id].size(); ++i) gaps.push_back(times[id][i] - times[id][i - 1]);
    return gaps;
  }

  std::map<RequestId, std::vector<TimeMs>> times;
};

void ExpectNoneAbove(const std::vector<TimeMs>& gaps, double most) {
  ASSERT_FALSE(gaps.empty());
  EXPECT_LE(*std::max_element(gaps.begin(), gaps.end()), most);
}

TEST(Pace, APromptOfLowerPriorityIsCutSoThatStepsKeepTheTarget) {
  PacedPlayer player(Paced());
  player.Add(WithPriority(Generate(1, Count(8), 60), 1));
  for (int i = 0; i < 10; ++i) player.Step();
  player.Add(Generate(2, Count(200, 'A'), 4));
  player.Run();
  ExpectNoneAbove(player.GapsOf(1), kTarget);
  EXPECT_GT(player.scheduler.counts().held_steps, 0);
  player.ExpectTextsOfAlone(Generate(1, Count(8), 60));
  player.ExpectTextsOfAlone(Generate(2, Count(200, 'A'), 4));
}

TEST(Pace, WithoutATargetAPromptFillsTheStep) {
  PacedPlayer player(Paced(0));
  player.Add(WithPriority(Generate(1, Count(8), 60), 1));
  for (int i = 0; i < 10; ++i) player.Step();
  player.Add(Generate(2, Count(200, 'A'), 4));
  player.Run();
  const std::vector<TimeMs> gaps = player.GapsOf(1);
  EXPECT_EQ(*std::max_element(gaps.begin(), gaps.end()), StepMs(201));
  EXPECT_EQ(player.scheduler.counts().held_steps, 0);
}

TEST(Pace, RowsOfALowerPriorityTakeTurnsUnderTheTarget) {
  PacedPlayer player(Paced());
  for (RequestId id = 2; id < 42; ++id) player.Add(Generate(id, Count(4, 'A' + id % 20), 30));
  for (int i = 0; i < 4; ++i) player.Step();
  player.Add(WithPriority(Generate(1, Count(4), 40), 1));
  player.Run();
  // The steps before it were larger than any that it may have: half of the first ones are spent on learning.
  std::vector<TimeMs> gaps = player.GapsOf(1);
  ExpectNoneAbove({gaps.begin() + 4, gaps.end()}, kTarget);
  for (RequestId id = 2; id < 42; ++id) player.ExpectTextsOfAlone(Generate(id, Count(4, 'A' + id % 20), 30));
}

TEST(Pace, TheRestOfATargetIsUsed) {
  PacedPlayer player(Paced());
  player.Add(WithPriority(Generate(1, Count(4), 60), 1));
  for (int i = 0; i < 5; ++i) player.Step();
  player.Add(Generate(2, Count(4000, 'A'), 1));
  for (int i = 0; i < 20; ++i) player.Step();
  EXPECT_GE(player.row_counts.back(), 18);  // 10 + 20 × 1 ms would be all of it.
  EXPECT_LE(player.row_counts.back(), 20);
}

TEST(Pace, AnUnattainableTargetLetsEverybodyGoOn) {
  PacedPlayer player(Paced(/*target=*/5));
  player.Add(WithPriority(Generate(1, Count(4), 30), 1));
  player.Step();
  player.Add(Generate(2, Count(10, 'A'), 5));
  int steps = 0;
  while (player.finished.count(2) == 0 && player.Step()) ++steps;
  EXPECT_EQ(steps, 10 + 4);  // A row each: the prompt's, then those behind its tokens.
  EXPECT_EQ(player.finished.count(1), 0u);
}

TEST(Pace, EqualPrioritiesHoldNobodyBack) {
  PacedPlayer player(Paced());
  player.Add(Generate(1, Count(4), 30));
  for (int i = 0; i < 5; ++i) player.Step();
  player.Add(Generate(2, Count(100, 'A'), 2));
  player.Step();
  EXPECT_EQ(player.row_counts.back(), 101);
}

TEST(Pace, ThePrioritysOwnPromptIsNotHeldBackByStreamsBelowIt) {
  PacedPlayer player(Paced());
  player.Add(Generate(1, Count(4), 30));
  for (int i = 0; i < 5; ++i) player.Step();
  player.Add(WithPriority(Generate(2, Count(100, 'A'), 2), 1));
  player.Step();
  EXPECT_EQ(player.row_counts.back(), 101);
}

TEST(Pace, TimeThatHasPassedSinceTheLastTokenCounts) {
  PacedPlayer player(Paced());
  player.Add(WithPriority(Generate(1, Count(4), 60), 1));
  for (int i = 0; i < 5; ++i) player.Step();
  player.Add(Generate(2, Count(4000, 'A'), 1));
  for (int i = 0; i < 20; ++i) player.Step();
  player.now += 10;
  player.Step();
  EXPECT_LE(player.row_counts.back(), 10);
  EXPECT_GE(player.row_counts.back(), 8);
}

TEST(Pace, ACheckOfALowerPriorityRunsWholeWhereItsTurnIs) {
  PacedPlayer player(Paced(/*target=*/15));
  player.check_every = 2;
  player.Add(WithPriority(Generate(1, Count(4), 80), 1));
  for (int i = 0; i < 5; ++i) player.Step();
  ScheduledRequest checked = Generate(2, Count(4, 'A'), 6);
  checked.checks = {Question(12)};
  player.Add(checked);
  while (player.finished.count(2) == 0 && player.Step()) {
  }
  EXPECT_EQ(player.finished.count(1), 0u);
  EXPECT_EQ(player.finished[2].error_code, "");
  EXPECT_EQ(player.checks.size(), 2u);
}

}  // namespace
}  // namespace winnow
