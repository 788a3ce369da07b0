#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "base/error.h"
#include "player.h"

namespace winnow {
namespace {

TEST(Scheduler, SplitsALongPromptIntoSteps) {
  Player player(Sized(4, 64, 4));
  player.Add(Generate(1, Count(10), 2));
  player.Run();
  EXPECT_EQ(player.row_counts, (std::vector<int>{4, 4, 2, 1}));
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 10);
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 2);
}

TEST(Scheduler, AStepThatFailsLeavesNoPrefixBehind) {
  Player player(Sized(64, 256, 16));
  player.Add(Pin(1, Count(8)));
  player.Run();
  ScheduledRequest again = Pin(2, {});
  again.parent = 1;
  player.Add(again);
  StepPlan plan = player.scheduler.Plan(player.now);  // All of it is there already.
  ASSERT_EQ(plan.reads.size(), 1u);
  player.scheduler.Fail(plan, "ERR_COMPUTE", "out of luck");
  player.scheduler.Release(1);
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 0);
  EXPECT_EQ(player.scheduler.cache().num_busy_cells(), 0);
}

TEST(Scheduler, RunningCandidatesGoFirstAndPromptsFillTheRest) {
  Player player(Sized(4, 64, 4));
  player.Add(Generate(1, Count(4), 10));
  player.Step();
  player.Add(Generate(2, Count(20, 'A'), 1));
  StepPlan plan = player.scheduler.Plan(player.now);
  ASSERT_EQ(plan.rows.size(), 4u);
  EXPECT_EQ(plan.rows[0].phase, Phase::kGenerate);
  EXPECT_EQ(plan.rows[1].phase, Phase::kPrefill);
}

TEST(Scheduler, EvaluatesThePromptOnceForAllCandidates) {
  Player player(Sized(64, 256, 32));
  player.Add(Generate(1, Count(20), 5, /*candidates=*/8));
  player.Run();
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 20);
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 40);
  for (int i = 0; i < 8; ++i) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(20), 5, i));
  EXPECT_EQ(player.scheduler.cache().num_used_cells(), 20 + 8 * 4);  // The last token of each is never evaluated.
  player.ExpectSameCells();
}

TEST(Scheduler, ALamdaTurnCostsItsContextOnceAndEachQuestionItsTokens) {
  Player player(Sized(64, 4096, 128));
  ScheduledRequest request = Generate(1, Count(100), 6, /*candidates=*/16);
  request.questions = {Question(2), Question(2), Question(3), Question(1, 2)};
  player.Add(std::move(request));
  player.Run();
  const int tokens_per_candidate = 2 + 2 + 3 + 3;
  EXPECT_EQ(player.finished[1].usage.question_tokens, 16 * tokens_per_candidate);
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 100 + 16 * (1 + tokens_per_candidate));
  EXPECT_EQ(player.scores.size(), 16u * (1 + 1 + 1 + 3));
  EXPECT_EQ(player.scheduler.cache().num_used_cells(), 100 + 16 * 6);
  player.ExpectSameCells();
}

TEST(Scheduler, AQuestionWithoutTokensIsReadOffTheLastToken) {
  Player player(Sized(64, 256, 8));
  ScheduledRequest request = Generate(1, Count(10), 3, /*candidates=*/2);
  request.questions = {Question(0), Question(2)};
  player.Add(std::move(request));
  player.Run();
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 10 + 2 * (1 + 2));
  EXPECT_EQ(player.scores.count({1, 0, 0, -1}), 1u);
  EXPECT_EQ(player.scores.count({1, 1, 1, 1}), 1u);
}

TEST(Scheduler, QuestionsOnThePromptNeedNoCandidates) {
  Player player(Sized(64, 256, 8));
  ScheduledRequest request;
  request.id = 1;
  request.prompt = Count(10);
  request.questions = {Question(2), Question(0, 3)};
  player.Add(std::move(request));
  player.Run();
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 10 + 2 + 3);
  EXPECT_EQ(player.scores.count({1, -1, 1, -1}), 1u);
  player.ExpectSameCells();
}

TEST(Scheduler, APinnedPrefixIsComputedOnceAndForkedWithoutEvaluation) {
  Player player(Sized(64, 256, 16));
  player.Add(Pin(1, Count(30)));
  player.Run();
  ScheduledRequest request = Generate(2, {}, 4, /*candidates=*/3);
  request.parent = 1;
  player.Add(std::move(request));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 0);
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 30);
  for (int i = 0; i < 3; ++i) EXPECT_EQ((player.texts[{2, i}]), Alone(*player.backend, Count(30), 4, i));
  EXPECT_EQ(player.scheduler.num_pinned_cells(), 30);
}

TEST(Scheduler, AForkOfAPinnedPrefixOutlivesIt) {
  Player player(Sized(64, 256, 16));
  player.Add(Pin(1, Count(30)));
  player.Run();
  ScheduledRequest fork = Pin(2, {});
  fork.parent = 1;
  player.Add(std::move(fork));
  player.Run();
  player.scheduler.Release(1);
  ScheduledRequest request = Generate(3, {'x'}, 4);
  request.parent = 2;
  player.Add(std::move(request));
  player.Run();
  Tokens prompt = Count(30);
  prompt.push_back('x');
  EXPECT_EQ(player.finished[3].usage.evaluated_prompt_tokens, 1);
  EXPECT_EQ((player.texts[{3, 0}]), Alone(*player.backend, prompt, 4, 0));
}

TEST(Scheduler, AReleasedPrefixStaysForTheRequestsThatRunOnIt) {
  Player player(Sized(4, 256, 16));
  player.Add(Pin(1, Count(8)));
  player.Run();
  ScheduledRequest request = Generate(2, Count(8, 'A'), 4);
  request.parent = 1;
  player.Add(std::move(request));
  player.Step();
  player.scheduler.Release(1);
  EXPECT_EQ(player.scheduler.PrefixLength(1), 8);
  player.Run();
  EXPECT_EQ(player.finished[2].error_code, "");
  EXPECT_EQ(player.scheduler.PrefixLength(1), -1);
  ScheduledRequest late = Generate(3, {'x'}, 4);
  late.parent = 1;
  EXPECT_THROW(player.Add(std::move(late)), Error);
}

TEST(Scheduler, ASecondRequestFindsThePromptOfTheFirst) {
  Player player(Sized(64, 256, 16));
  player.Add(Generate(1, Count(20), 6));
  player.Run();
  Tokens longer = Count(20);
  longer.insert(longer.end(), player.texts[{1, 0}].begin(), player.texts[{1, 0}].begin() + 5);
  longer.push_back('x');
  player.Add(Generate(2, longer, 3));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 25);  // The generated tokens, too.
  EXPECT_EQ(player.finished[2].usage.evaluated_prompt_tokens, 1);
  EXPECT_EQ((player.texts[{2, 0}]), Alone(*player.backend, longer, 3, 0));
}

TEST(Scheduler, AFullHitComputesTheLastTokenAgain) {
  Player player(Sized(64, 256, 16));
  player.Add(Generate(1, Count(20), 2));
  player.Run();
  player.Add(Generate(2, Count(20), 2));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 19);
  EXPECT_EQ((player.texts[{2, 0}]), (player.texts[{1, 0}]));
}

TEST(Scheduler, CandidatesWaitForRoomAndAllOfThemRun) {
  Player player(Sized(16, 64, 4));
  player.Add(Generate(1, Count(20), 10, /*candidates=*/12));
  player.Run();
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 120);
  for (int i = 0; i < 12; ++i) EXPECT_EQ((player.texts[{1, i}]), Alone(*player.backend, Count(20), 10, i));
}

TEST(Scheduler, RefusesWhatCanNeverFit) {
  Player player(Sized(16, 64, 4));
  try {
    player.Add(Generate(1, Count(60), 10));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "ERR_CACHE_TOO_SMALL");
  }
}

TEST(Scheduler, RefusesWhatPinnedPrefixesLeaveNoRoomFor) {
  Player player(Sized(16, 64, 4));
  player.Add(Pin(1, Count(50)));
  player.Run();
  player.Add(Generate(2, Count(30, 'A'), 10));
  player.Run();
  EXPECT_EQ(player.finished[2].error_code, "ERR_CACHE_FULL");
}

TEST(Scheduler, ACancelledRequestGivesBackItsRoomAndKeepsItsPrefix) {
  Player player(Sized(8, 256, 8));
  player.Add(Generate(1, Count(30), 10, 4));
  for (int i = 0; i < 5; ++i) player.Step();
  player.scheduler.Cancel(1);
  EXPECT_TRUE(player.scheduler.is_idle());
  EXPECT_EQ(player.scheduler.cache().num_busy_cells(), 0);
  EXPECT_EQ(player.scheduler.cache().num_busy_sequences(), 0);
  player.Add(Generate(2, Count(30), 2));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 29);
  EXPECT_EQ(player.finished.count(1), 0u);
}

TEST(Scheduler, AFailedStepEndsTheRequestsThatItServed) {
  Player player(Sized(8, 256, 8));
  player.Add(Generate(1, Count(30), 10));
  StepPlan plan = player.scheduler.Plan(player.now);
  player.scheduler.Fail(plan, "ERR_COMPUTE", "out of luck");
  std::vector<FinishedRequest> finished = player.scheduler.TakeFinished();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].error_code, "ERR_COMPUTE");
  EXPECT_TRUE(player.scheduler.is_idle());
  EXPECT_EQ(player.scheduler.cache().num_used_cells(), 0);
}

// Random requests, cancellations, pins and releases in a small cache: every text is the one it would be alone, nobody
// waits for ever, and in the end every cell and sequence is accounted for.
class SchedulerProperty : public testing::TestWithParam<int> {};

TEST_P(SchedulerProperty, NothingIsLostAndNothingIsWrong) {
  std::mt19937 random(GetParam());
  Player player(Sized(1 + random() % 24, 120 + random() % 100, 6 + random() % 12));
  std::map<RequestId, ScheduledRequest> added;
  std::set<RequestId> prefixes, seen, cancelled;
  RequestId next = 1;
  auto NewPrefixes = [&] {
    std::vector<RequestId> ids;
    for (auto& [id, request] : player.finished) {
      bool is_new = added.count(id) > 0 && added[id].pin && request.error_code.empty() && seen.insert(id).second;
      if (is_new) ids.push_back(id);
    }
    return ids;
  };
  for (int i = 0; i < 1500; ++i) {
    switch (random() % 8) {
      case 0:
      case 1: {
        ScheduledRequest request = Generate(next, Count(1 + random() % 30, 'a' + random() % 2), 1 + random() % 6,
                                            static_cast<int>(random() % 4));
        for (int q = random() % 3; q > 0; --q) request.questions.push_back(Question(random() % 3, random() % 3));
        if (request.num_candidates == 0 && request.questions.empty()) request.pin = true;
        if (!prefixes.empty() && random() % 2 == 0) {
          request.parent = *prefixes.begin();
          if (random() % 2 == 0) request.prompt.clear();
        }
        added[next] = request;
        try {
          player.Add(request);
        } catch (const Error&) {
          added.erase(next);
        }
        ++next;
        break;
      }
      case 2:
        if (next > 1 && random() % 4 == 0) {
          RequestId id = 1 + random() % (next - 1);
          if (player.finished.count(id) == 0) cancelled.insert(id);
          player.scheduler.Cancel(id);
        }
        break;
      case 3:
        if (!prefixes.empty() && (random() % 3 == 0 || prefixes.size() > 2)) {
          player.scheduler.Release(*prefixes.begin());
          prefixes.erase(prefixes.begin());
        }
        break;
      default:
        player.Step();
    }
    for (RequestId id : NewPrefixes()) prefixes.insert(id);
    const KvCache& cache = player.scheduler.cache();
    ASSERT_LE(cache.num_busy_cells(), cache.num_used_cells());
    ASSERT_LE(cache.num_used_cells(), cache.num_cells());
  }
  player.Run();
  for (RequestId id : NewPrefixes()) prefixes.insert(id);
  for (RequestId id : prefixes) player.scheduler.Release(id);
  ASSERT_TRUE(player.scheduler.is_idle());
  EXPECT_EQ(player.scheduler.cache().num_busy_cells(), 0);
  EXPECT_EQ(player.scheduler.cache().num_busy_sequences(), 0);
  player.ExpectSameCells();
  for (auto& [id, request] : added) {
    if (cancelled.count(id)) continue;
    ASSERT_EQ(player.finished.count(id), 1u) << "request " << id << " was never answered";
    if (request.parent != kNoRequest || !player.finished[id].error_code.empty()) continue;
    for (int c = 0; c < request.num_candidates; ++c) {
      EXPECT_EQ((player.texts[{id, c}]), Alone(*player.backend, request.prompt, request.max_tokens, c));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerProperty, testing::Range(0, 12));

}  // namespace
}  // namespace winnow
