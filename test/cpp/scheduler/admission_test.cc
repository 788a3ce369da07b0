#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "player.h"

namespace winnow {
namespace {

ScheduledRequest In(const std::string& space, ScheduledRequest request) {
  request.space = space;
  return request;
}

// The order in which requests first appear in a plan.
std::vector<RequestId> OrderOfBeginning(Player& player) {
  std::vector<RequestId> order;
  auto note = [&order](RequestId id) {
    if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
  };
  player.on_plan = [note](const StepPlan& plan) {
    for (const PlanRow& row : plan.rows) note(row.request);
  };
  player.Run();
  player.on_plan = nullptr;
  return order;
}

TEST(Deadlines, EndARequestInTheQueue) {
  Player player(Sized(8, 64, 4));
  player.Add(Generate(1, Count(20), 40));
  ScheduledRequest late = Generate(2, Count(20, 'k'), 40);
  late.submitted = 100;
  late.deadline = 150;
  player.Add(late);
  player.now = 149;
  player.Step();
  EXPECT_EQ(player.scheduler.next_deadline(), 150);
  EXPECT_EQ(player.finished.count(2), 0u);
  player.now = 150;
  player.Step();
  EXPECT_EQ(player.finished[2].error_code, "ERR_TIMEOUT");
  EXPECT_EQ(player.finished[2].error_facts, (ErrorFacts{{"timeoutMs", 50}, {"generatedTokens", 0}}));
  EXPECT_EQ(player.scheduler.next_deadline(), kNever);
  player.Run();
  EXPECT_EQ(player.finished[1].error_code, "");
}

TEST(Deadlines, EndARunningRequestBetweenTwoSteps) {
  Player player(Sized(8, 64, 4));
  ScheduledRequest request = Generate(1, Count(8), 40);
  request.deadline = 1000;
  player.Add(request);
  for (int i = 0; i < 10; ++i) player.Step();
  player.now = 1000;
  player.Step();
  EXPECT_EQ(player.finished[1].error_code, "ERR_TIMEOUT");
  EXPECT_EQ(player.finished[1].usage.generated_tokens, 10);
  EXPECT_EQ(player.texts[std::make_pair(RequestId{1}, 0)].size(), 10u);  // Had been told before.
  EXPECT_TRUE(player.scheduler.is_idle());
  EXPECT_EQ(player.scheduler.cache().num_busy_cells(), 0);
  player.ExpectSameCells();
}

TEST(Deadlines, ARequestThatEndsInTimeHasNone) {
  Player player(Sized(8, 64, 4));
  ScheduledRequest request = Generate(1, Count(8), 4);
  request.deadline = 1000;
  player.Add(request);
  player.Run();
  EXPECT_EQ(player.finished[1].error_code, "");
  EXPECT_EQ(player.scheduler.next_deadline(), kNever);
}

TEST(Following, TheSamePromptAtTheSameTimeIsEvaluatedOnce) {
  Player player(Sized(16, 512, 16));
  for (RequestId id = 1; id <= 5; ++id) player.Add(Generate(id, Count(60), 4));
  player.Run();
  EXPECT_EQ(player.finished[1].usage.evaluated_prompt_tokens, 60);
  for (RequestId id = 2; id <= 5; ++id) {
    EXPECT_EQ(player.finished[id].usage.evaluated_prompt_tokens, 1);  // Its row is read.
    EXPECT_EQ(player.finished[id].usage.cached_tokens, 59);
    EXPECT_EQ((player.texts[{id, 0}]), Alone(*player.backend, Count(60), 4, 0));
  }
}

TEST(Following, ASharedBeginningIsEnough) {
  Player player(Sized(16, 512, 16));
  Tokens first = Count(40), second = Count(40);
  first.insert(first.end(), 60, 'x');
  second.insert(second.end(), 5, 'y');
  player.Add(Generate(1, first, 2));
  player.Add(Generate(2, second, 2));
  for (int i = 0; i < 3; ++i) player.Step();
  EXPECT_EQ(player.scheduler.num_running(), 1);
  player.Step();  // 48 of the first one's 100 tokens are there: the second begins.
  EXPECT_EQ(player.scheduler.num_running(), 2);
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 40);
}

TEST(Following, AHalfFilledPromptIsFoundByLaterRequests) {
  Player player(Sized(16, 512, 16));
  player.Add(Generate(1, Count(100), 2));
  for (int i = 0; i < 3; ++i) player.Step();
  player.Add(Generate(2, Count(40), 2));
  player.Step();
  EXPECT_EQ(player.scheduler.num_running(), 2);
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 39);
}

TEST(Following, OthersAreNotHeldUp) {
  Player player(Sized(16, 512, 16));
  player.Add(Generate(1, Count(60), 2));
  player.Add(Generate(2, Count(60), 2));
  player.Add(Generate(3, Count(20, 'A'), 2));
  player.Step();
  EXPECT_EQ(player.scheduler.num_running(), 2);
  EXPECT_EQ(player.scheduler.num_waiting(), 1);
  player.Run();
  EXPECT_EQ(player.finished.size(), 3u);
}

TEST(Following, GoesOnAloneWhenTheOtherIsCancelled) {
  Player player(Sized(16, 512, 16));
  player.Add(Generate(1, Count(60), 2));
  player.Add(Generate(2, Count(60), 2));
  player.Step();
  player.scheduler.Cancel(1);
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 16);  // What the first had got to.
  EXPECT_EQ((player.texts[{2, 0}]), Alone(*player.backend, Count(60), 2, 0));
}

TEST(Following, ATextThatIsBeingGeneratedIsAPrefixToo) {
  Player player(Sized(16, 512, 16));
  player.Add(Generate(1, Count(30), 40));
  for (int i = 0; i < 22; ++i) player.Step();
  Tokens prompt = Count(30);
  const Tokens& text = player.texts[std::make_pair(RequestId{1}, 0)];
  prompt.insert(prompt.end(), text.begin(), text.begin() + 15);
  prompt.push_back('!');
  player.Add(Generate(2, prompt, 2));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 45);
  EXPECT_EQ((player.texts[{2, 0}]), Alone(*player.backend, prompt, 2, 0));
}

TEST(Namespaces, ShareNothing) {
  Player player(Sized(16, 512, 16));
  player.Add(In("ours", Generate(1, Count(40), 4)));
  player.Add(In("theirs", Generate(2, Count(40), 4)));
  player.Run();
  player.Add(In("theirs", Generate(3, Count(40), 4)));
  player.Add(In("others", Generate(4, Count(40), 4)));
  player.Run();
  for (RequestId id : {1, 2, 4}) EXPECT_EQ(player.finished[id].usage.cached_tokens, 0) << id;
  EXPECT_EQ(player.finished[3].usage.cached_tokens, 39);
}

TEST(Namespaces, APrefixBringsItsOwn) {
  Player player(Sized(16, 512, 16));
  player.Add(In("ours", Pin(1, Count(40))));
  player.Run();
  ScheduledRequest request = Generate(2, {'x'}, 4);
  request.parent = 1;
  player.Add(request);
  Tokens prompt = Count(40);
  prompt.push_back('x');
  player.Run();
  player.Add(Generate(3, prompt, 4));
  player.Run();
  EXPECT_EQ(player.finished[2].usage.cached_tokens, 40);
  EXPECT_EQ(player.finished[3].usage.cached_tokens, 0);
}

TEST(Namespaces, TakeTurns) {
  Player player(Sized(16, 64, 16));  // Room for one request at a time.
  for (RequestId id = 1; id <= 6; ++id) player.Add(In("many", Generate(id, Count(20, 'a' + id), 30)));
  player.Add(In("few", Generate(7, Count(20, 'k'), 30)));
  player.Add(In("few", Generate(8, Count(20, 'm'), 30)));
  std::vector<RequestId> order = OrderOfBeginning(player);
  EXPECT_EQ(order.size(), 8u);
  auto place = [&](RequestId id) { return std::find(order.begin(), order.end(), id) - order.begin(); };
  EXPECT_LE(place(7), 2);
  EXPECT_LE(place(8), 4);
}

TEST(Priorities, TheHighestBeginsFirstAndEqualsInTheirOrder) {
  Player player(Sized(16, 64, 16));
  for (RequestId id = 1; id <= 6; ++id) {
    ScheduledRequest request = Generate(id, Count(20, 'a' + id), 30);
    request.priority = id % 3;
    player.Add(request);
  }
  EXPECT_EQ(OrderOfBeginning(player), (std::vector<RequestId>{2, 5, 1, 4, 3, 6}));
}

// Requests of a higher priority come faster than they can be served. The one that waits goes before all that come
// kAgeingMs × the difference of priorities later.
TEST(Priorities, NobodyStarves) {
  Player player(Sized(16, 64, 16));
  ScheduledRequest low = Generate(1, Count(20), 10);
  low.priority = -1;
  player.Add(low);
  const auto bound = static_cast<TimeMs>(2 * kAgeingMs);
  RequestId next = 2, last_ahead = 0;
  while (player.finished.count(1) == 0 && player.now < 2 * bound) {
    ScheduledRequest request = Generate(next, Count(20, 'a' + next % 5), 30);
    request.priority = 1;
    request.submitted = player.now;
    if (player.now < bound) last_ahead = next;
    player.Add(request);
    ++next;
    player.now += 5000;
    for (int i = 0; i < 40; ++i) player.Step();
  }
  ASSERT_EQ(player.finished.count(1), 1u);
  for (const auto& [id, request] : player.finished) EXPECT_LE(id, last_ahead + 1);
}

TEST(Priorities, ANamespaceThatWaitsGetsItsTurn) {
  Player player(Sized(16, 64, 16));
  player.Add(In("patient", Generate(1, Count(20), 10)));
  RequestId next = 2;
  while (player.finished.count(1) == 0 && player.now < 10 * kAgeingMs) {
    ScheduledRequest request = In("urgent", Generate(next, Count(20, 'a' + next % 5), 30));
    request.priority = 2;
    request.submitted = player.now;
    player.Add(request);
    ++next;
    player.now += 5000;
    for (int i = 0; i < 40; ++i) player.Step();
  }
  ASSERT_EQ(player.finished.count(1), 1u);
  EXPECT_LE(player.now, static_cast<TimeMs>(3 * kAgeingMs) + 10'000);
}

}  // namespace
}  // namespace winnow
