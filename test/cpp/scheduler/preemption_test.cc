#include <gtest/gtest.h>

#include <vector>

#include "player.h"

namespace winnow {
namespace {

int NumRunning(const StepPlan& plan) {
  std::set<RequestId> requests;
  for (const PlanRow& row : plan.rows) requests.insert(row.request);
  return static_cast<int>(requests.size());
}

TEST(Preemption, LetsMoreRunThanTheLongestTextsHaveRoomFor) {
  Player player(Sized(64, 100, 16));
  for (RequestId id = 1; id <= 4; ++id) player.Add(Generate(id, Count(5, 'a' + id), 40));  // 180 cells in the end.
  player.Step();
  EXPECT_GE(NumRunning(player.scheduler.Plan(0)), 3);
}

TEST(Preemption, EveryTextIsTheOneItWouldBeAlone) {
  Player player(Sized(64, 100, 16));
  std::vector<ScheduledRequest> requests;
  for (RequestId id = 1; id <= 8; ++id) requests.push_back(Generate(id, Count(5, 'a' + id), 40, /*candidates=*/2));
  for (const ScheduledRequest& request : requests) player.Add(request);
  player.Run();
  EXPECT_GT(player.scheduler.counts().preemptions, 0);
  for (const ScheduledRequest& request : requests) player.ExpectTextsOfAlone(request);
  player.ExpectSameCells();
}

TEST(Preemption, CountsWhatIsEvaluatedAgainApart) {
  Player player(Sized(64, 100, 16));
  int recomputed = 0, rows = 0, evaluated = 0, drawn = 0;
  for (RequestId id = 1; id <= 4; ++id) player.Add(Generate(id, Count(5, 'a' + id), 60));
  player.Run();
  for (RequestId id = 1; id <= 4; ++id) {
    const Usage& usage = player.finished[id].usage;
    EXPECT_EQ(usage.cached_tokens + usage.evaluated_prompt_tokens, 5);
    EXPECT_EQ(usage.generated_tokens, 60);
    recomputed += usage.recomputed_tokens;
    evaluated += usage.evaluated_prompt_tokens;
    drawn += usage.generated_tokens - 1;  // The first is drawn from the prompt's row.
  }
  for (int count : player.row_counts) rows += count;
  EXPECT_GT(recomputed, 0);
  EXPECT_EQ(rows, evaluated + drawn + recomputed);
}

TEST(Preemption, TheYoungestOfTheLowestPriorityGivesWay) {
  Player player(Sized(64, 60, 16));
  const double priorities[] = {0, 0, 1, 1};
  for (RequestId id = 1; id <= 4; ++id) {
    ScheduledRequest request = Generate(id, Count(5, 'a' + id), 30);
    request.priority = priorities[id - 1];
    player.Add(request);
  }
  std::vector<RequestId> order;
  while (player.Step()) {
    for (const auto& [id, request] : player.finished) {
      if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
    }
  }
  EXPECT_EQ(player.finished[3].usage.recomputed_tokens, 0);
  EXPECT_EQ(order, (std::vector<RequestId>{3, 4, 1, 2}));
}

TEST(Preemption, AHigherPriorityDoesNotWaitForRoom) {
  Player player(Sized(64, 60, 16));
  player.Add(Generate(1, Count(10, 'a'), 50));
  for (int i = 0; i < 20; ++i) player.Step();
  ScheduledRequest urgent = Generate(2, Count(10, 'k'), 40);
  urgent.priority = 5;
  player.Add(urgent);
  for (int i = 0; i < 41; ++i) player.Step();
  EXPECT_EQ(player.finished.count(2), 1u);
  player.Run();
  EXPECT_GT(player.finished[1].usage.recomputed_tokens, 0);
  EXPECT_EQ((player.texts[{1, 0}]), Alone(*player.backend, Count(10, 'a'), 50, 0));
}

TEST(Preemption, QuestionsGoOnWhereTheyWere) {
  Player player(Sized(7, 60, 9));
  std::vector<ScheduledRequest> requests;
  for (RequestId id = 1; id <= 6; ++id) {
    ScheduledRequest request = Generate(id, Count(5, 'a' + id), 35, /*candidates=*/3);
    request.questions = {Question(4, 2), Question(0, 3), Question(2)};
    requests.push_back(request);
    player.Add(request);
  }
  player.Run();  // The player itself checks that no row is read twice.
  EXPECT_GT(player.scheduler.counts().preemptions, 0);
  for (const ScheduledRequest& request : requests) {
    player.ExpectTextsOfAlone(request);
    const Usage& usage = player.finished[request.id].usage;
    EXPECT_EQ(usage.question_tokens, 3 * (6 + 3 + 2));
    EXPECT_EQ(usage.evaluated_prompt_tokens + usage.cached_tokens, 5 + 3 * (1 + 6 + 3 + 2));
  }
  EXPECT_EQ(player.scores.size(), 6u * 3 * (3 + 4 + 1));
  player.ExpectSameCells();
}

TEST(Preemption, SequencesThatCannotBeForkedAreComputedAgain) {
  SchedulerOptions options = Sized(64, 60, 8);
  options.cache.can_fork = false;
  Player player(options);
  std::vector<ScheduledRequest> requests;
  for (RequestId id = 1; id <= 4; ++id) requests.push_back(Generate(id, Count(5, 'a' + id), 40));
  for (const ScheduledRequest& request : requests) player.Add(request);
  player.Run();
  EXPECT_GT(player.scheduler.counts().preemptions, 0);
  for (const ScheduledRequest& request : requests) player.ExpectTextsOfAlone(request);
}

TEST(Preemption, APrefixIsPinnedOnlyBesideWhatRuns) {
  Player player(Sized(64, 60, 8));
  player.Add(Generate(1, Count(10, 'a'), 40));
  player.Step();
  player.Add(Pin(2, Count(20, 'k')));  // Beside it, the first would not fit any more.
  for (int i = 0; i < 10; ++i) player.Step();
  EXPECT_EQ(player.finished.count(2), 0u);
  player.Run();
  EXPECT_EQ(player.finished[1].error_code, "");
  EXPECT_EQ(player.finished[1].usage.recomputed_tokens, 0);
  EXPECT_EQ(player.finished[2].error_code, "");
}

TEST(Preemption, CopiesOfAPinnedPrefixDoNotStandInItsRequestsWay) {
  Player player(Sized(64, 100, 8));
  ScheduledRequest copy = Generate(1, Count(50), 1);
  player.Add(copy);
  player.Run();  // Idle from now on.
  SchedulerOptions options;
  player.Add(Pin(2, Count(50)));
  player.Run();
  Tokens longer = Count(50);
  longer.insert(longer.end(), 20, 'z');
  player.Add(Generate(3, longer, 30));  // 50 + 50 cells, if it shares the prefix.
  player.Run();
  EXPECT_EQ(player.finished[3].error_code, "");
  EXPECT_EQ((player.texts[{3, 0}]), Alone(*player.backend, longer, 30, 0));
}

}  // namespace
}  // namespace winnow
