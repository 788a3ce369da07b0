#include "scheduler/encode_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace winnow {
namespace {

std::vector<Token> Tokens(int count, Token first = 0) {
  std::vector<Token> tokens(count);
  for (int i = 0; i < count; ++i) tokens[i] = first + i;
  return tokens;
}

EncodeRequest RequestOf(RequestId id, std::vector<int> lengths, double priority = 0) {
  EncodeRequest request;
  request.id = id;
  request.priority = priority;
  for (int length : lengths) request.texts.push_back(Tokens(length));
  return request;
}

EncodeQueue Queue(int max_step_tokens, bool cuts_texts = false, int max_step_texts = 256) {
  return EncodeQueue({max_step_tokens, max_step_texts, cuts_texts});
}

std::vector<std::pair<RequestId, int>> TextsOf(const EncodePlan& plan) {
  std::vector<std::pair<RequestId, int>> texts;
  for (const EncodeItem& item : plan.items) texts.emplace_back(item.request, item.text);
  return texts;
}

using Texts = std::vector<std::pair<RequestId, int>>;
using Ids = std::vector<RequestId>;

TEST(EncodeQueue, FillsAStepWithWholeTextsOfSeveralRequests) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/10);
  queue.Add(RequestOf(1, {4, 3}));
  queue.Add(RequestOf(2, {3, 1}));
  EncodePlan plan = queue.Plan();
  EXPECT_EQ(TextsOf(plan), (Texts{{1, 0}, {1, 1}, {2, 0}}));
  EXPECT_EQ(plan.tokens.size(), 10u);
  EXPECT_EQ(plan.items[1].first_row, 4);
  EXPECT_EQ(plan.items[1].num_rows, 3);
  EXPECT_EQ(queue.Commit(plan), Ids{1});
  plan = queue.Plan();
  EXPECT_EQ(TextsOf(plan), (Texts{{2, 1}}));
  EXPECT_EQ(queue.Commit(plan), Ids{2});
  EXPECT_TRUE(queue.is_idle());
}

TEST(EncodeQueue, LeavesATextThatDoesNotFitToTheNextStep) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/10);
  queue.Add(RequestOf(1, {6, 5}));
  queue.Add(RequestOf(2, {1}));  // It would fit, but what waits longer goes first.
  EXPECT_EQ(TextsOf(queue.Plan()), (Texts{{1, 0}}));
}

TEST(EncodeQueue, CutsATextWhereItMayGoOnInTheNextStep) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/4, /*cuts_texts=*/true);
  queue.Add(RequestOf(1, {2, 7}));
  EncodePlan plan = queue.Plan();
  ASSERT_EQ(TextsOf(plan), (Texts{{1, 0}, {1, 1}}));
  EXPECT_TRUE(plan.items[0].is_last);
  EXPECT_FALSE(plan.items[1].is_last);
  const SequenceId sequence = plan.items[1].sequence;
  queue.Commit(plan);
  plan = queue.Plan();
  ASSERT_EQ(plan.items.size(), 1u);
  EXPECT_EQ(plan.items[0].begin, 2);
  EXPECT_EQ(plan.items[0].sequence, sequence);
  EXPECT_EQ(plan.tokens, (std::vector<Token>{2, 3, 4, 5}));
  queue.Commit(plan);
  plan = queue.Plan();
  EXPECT_TRUE(plan.items[0].is_last);
  EXPECT_EQ(queue.Commit(plan), Ids{1});
}

TEST(EncodeQueue, GoesOnWithACutTextBeforeAnythingElse) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/4, /*cuts_texts=*/true);
  queue.Add(RequestOf(1, {6}));
  EncodePlan plan = queue.Plan();
  queue.Commit(plan);
  queue.Add(RequestOf(2, {1}, /*priority=*/5));
  EncodePlan next = queue.Plan();
  ASSERT_EQ(TextsOf(next), (Texts{{1, 0}, {2, 0}}));
  EXPECT_NE(next.items[0].sequence, next.items[1].sequence);
  EXPECT_EQ(next.items[0].sequence, plan.items[0].sequence);
}

TEST(EncodeQueue, HasAtMostSoManyTextsInAStep) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/100, /*cuts_texts=*/false, /*max_step_texts=*/2);
  queue.Add(RequestOf(1, {1, 1, 1}));
  EXPECT_EQ(queue.Plan().items.size(), 2u);
}

TEST(EncodeQueue, TakesHigherPrioritiesFirst) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/4);
  queue.Add(RequestOf(1, {4}));
  queue.Add(RequestOf(2, {4}, /*priority=*/1));
  EXPECT_EQ(TextsOf(queue.Plan()), (Texts{{2, 0}}));
}

TEST(EncodeQueue, ForgetsWhatIsRemovedAndWhatIsLate) {
  EncodeQueue queue = Queue(/*max_step_tokens=*/4);
  queue.Add(RequestOf(1, {1}));
  EncodeRequest late = RequestOf(2, {1});
  late.deadline = 50;
  queue.Add(late);
  EXPECT_EQ(queue.next_deadline(), 50);
  EXPECT_EQ(queue.TakeExpired(49), Ids{});
  EXPECT_EQ(queue.TakeExpired(50), Ids{2});
  queue.Remove(1);
  queue.Remove(7);
  EXPECT_TRUE(queue.is_idle());
  EXPECT_TRUE(queue.Plan().empty());
  EXPECT_EQ(queue.next_deadline(), kNever);
}

// Whatever comes in whatever order: every token of every text is encoded once, in order, and sequences are never mixed.
TEST(EncodeQueue, EncodesEveryTokenOnce) {
  std::mt19937 random(1);
  auto below = [&](int limit) { return static_cast<int>(random() % limit); };
  for (int round = 0; round < 200; ++round) {
    EncodeQueue queue = Queue(/*max_step_tokens=*/8, /*cuts_texts=*/true, /*max_step_texts=*/4);
    std::map<std::pair<RequestId, int>, int> done;
    std::map<std::pair<RequestId, int>, SequenceId> cut;
    int num_texts = 0;
    RequestId last = 0;
    while (last < 10 || !queue.is_idle()) {
      if (last < 10 && (queue.is_idle() || below(2) == 0)) {
        std::vector<int> lengths(1 + below(4));
        for (int& length : lengths) length = 1 + below(20);
        num_texts += static_cast<int>(lengths.size());
        queue.Add(RequestOf(++last, lengths, below(3)));
      }
      EncodePlan plan = queue.Plan();
      ASSERT_FALSE(plan.empty());
      ASSERT_LE(plan.tokens.size(), 8u);
      std::set<SequenceId> used;
      for (const auto& [text, sequence] : cut) used.insert(sequence);
      for (const EncodeItem& item : plan.items) {
        const std::pair<RequestId, int> text(item.request, item.text);
        ASSERT_EQ(item.begin, done[text]);
        ASSERT_EQ(plan.tokens[item.first_row], item.begin);
        ASSERT_LT(item.sequence, 4);
        if (item.begin == 0) {
          ASSERT_TRUE(used.insert(item.sequence).second);
        } else {
          ASSERT_EQ(item.sequence, cut.at(text));
        }
        done[text] += item.num_rows;
        cut.erase(text);
        if (!item.is_last) cut[text] = item.sequence;
      }
      ASSERT_LE(cut.size(), 1u);
      queue.Commit(plan);
    }
    ASSERT_TRUE(cut.empty());
    ASSERT_EQ(static_cast<int>(done.size()), num_texts);
  }
}

}  // namespace
}  // namespace winnow
