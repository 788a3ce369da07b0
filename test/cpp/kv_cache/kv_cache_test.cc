#include "kv_cache/kv_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace winnow {
namespace {

using Tokens = std::vector<Token>;

const std::string kSpace;

KvCacheOptions Sized(int cells, int sequences) {
  KvCacheOptions options;
  options.num_cells = cells;
  options.max_sequences = sequences;
  return options;
}

SequenceId Fill(KvCache* cache, const Tokens& tokens, SequenceId source = kNoSequence, int length = 0) {
  SequenceId id = *cache->Begin(kSpace, source, length);
  for (size_t i = length; i < tokens.size(); ++i) cache->Append({&id, 1}, tokens[i]);
  return id;
}

TEST(KvCache, FinishedSequencesAreFoundAndReused) {
  KvCache cache(Sized(16, 4));
  cache.Retire(Fill(&cache, {1, 2, 3}));
  PrefixTree::Match match = cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3, 4}, 3);
  EXPECT_EQ(match.length, 3);
  SequenceId id = Fill(&cache, {1, 2, 3, 4}, match.sequence, 3);
  EXPECT_EQ(cache.num_used_cells(), 4);
  EXPECT_EQ(cache.Length(id), 4);
}

TEST(KvCache, TakesOverAnIdleSequenceThatWouldLoseNothing) {
  KvCache cache(Sized(16, 4));
  SequenceId first = Fill(&cache, {1, 2, 3});
  cache.Retire(first);
  cache.TakeOps();
  EXPECT_EQ(*cache.Begin(kSpace, first, 3), first);
  EXPECT_TRUE(cache.TakeOps().empty());
}

TEST(KvCache, ForksAnIdleSequenceThatIsLongerThanThePrefix) {
  KvCache cache(Sized(16, 4));
  SequenceId first = Fill(&cache, {1, 2, 3});
  cache.Retire(first);
  SequenceId second = *cache.Begin(kSpace, first, 2);
  EXPECT_NE(second, first);
  std::vector<CacheOp> ops = cache.TakeOps();
  ASSERT_EQ(ops.size(), 1u);
  EXPECT_EQ(ops[0].kind, CacheOp::Kind::kCopy);
  EXPECT_EQ(ops[0].end, 2);
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3}, 3).length, 3);
}

TEST(KvCache, CutsTheOnlyIdleSequenceBackWhenThereIsNoOther) {
  KvCache cache(Sized(16, 1));
  SequenceId only = Fill(&cache, {1, 2, 3});
  cache.Retire(only);
  cache.TakeOps();
  EXPECT_EQ(*cache.Begin(kSpace, only, 2), only);
  EXPECT_EQ(cache.num_used_cells(), 2);
  std::vector<CacheOp> ops = cache.TakeOps();
  ASSERT_EQ(ops.size(), 1u);
  EXPECT_EQ(ops[0].kind, CacheOp::Kind::kRemove);
  EXPECT_EQ(ops[0].begin, 2);
}

TEST(KvCache, EvictsTheLeastRecentlyUsedFirst) {
  KvCache cache(Sized(6, 4));
  cache.Retire(Fill(&cache, {1, 1, 1}));
  cache.Retire(Fill(&cache, {2, 2, 2}));
  PrefixTree::Match match = cache.FindLongestPrefix(kSpace, Tokens{1, 1}, 2);
  cache.Drop(*cache.Begin(kSpace, match.sequence, match.length));  // The first one was used again.
  cache.Drop(Fill(&cache, {3}));
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{2, 2, 2}, 3).length, 0);
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{1, 1, 1}, 3).length, 3);
}

TEST(KvCache, RefusesASequenceWhenAllAreBusy) {
  KvCache cache(Sized(6, 2));
  Fill(&cache, {1});
  Fill(&cache, {2});
  EXPECT_FALSE(cache.Begin(kSpace, kNoSequence, 0).has_value());
}

TEST(KvCache, KeepsNoMoreIdleCellsThanAllowed) {
  KvCacheOptions options = Sized(100, 8);
  options.max_idle_cells = 5;
  KvCache cache(options);
  cache.Retire(Fill(&cache, {1, 1, 1}));
  cache.Retire(Fill(&cache, {2, 2, 2}));
  EXPECT_EQ(cache.num_idle_cells(), 3);
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{2, 2}, 2).length, 2);
}

TEST(KvCache, DoesNotCutALongSequenceBackUnderASlidingWindow) {
  KvCacheOptions options = Sized(100, 8);
  options.sliding_window = 4;
  KvCache cache(options);
  cache.Retire(Fill(&cache, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3, 4, 5, 9}, 6).length, 0);
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3, 4, 5, 6, 7}, 6).length, 6);
  cache.Retire(Fill(&cache, {7, 8, 9}));
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{7, 8, 1}, 3).length, 2);
}

TEST(KvCache, SharesNothingWhereSequencesCannotBeForked) {
  KvCacheOptions options = Sized(100, 8);
  options.can_fork = false;
  KvCache cache(options);
  cache.Retire(Fill(&cache, {1, 2, 3}));
  EXPECT_EQ(cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3}, 3).length, 0);
  EXPECT_EQ(cache.num_used_cells(), 0);
}

TEST(KvCache, SpacesShareNothing) {
  KvCache cache(Sized(16, 4));
  SequenceId ours = *cache.Begin("ours", kNoSequence, 0);
  for (Token token : {1, 2, 3}) cache.Append({&ours, 1}, token);
  cache.Publish(ours);
  EXPECT_EQ(cache.FindLongestPrefix("theirs", Tokens{1, 2, 3}, 3).length, 0);
  EXPECT_EQ(cache.FindLongestPrefix("ours", Tokens{1, 2, 3}, 3).length, 3);
  cache.Retire(ours);
  EXPECT_EQ(cache.FindLongestPrefix("theirs", Tokens{1, 2, 3}, 3).length, 0);
}

TEST(KvCache, PrefersASequenceThatIsBusyAnyway) {
  KvCache cache(Sized(16, 4));
  SequenceId idle = Fill(&cache, {1, 2, 3}), busy = Fill(&cache, {1, 2, 3, 4});
  cache.Retire(idle);
  cache.Publish(busy);
  PrefixTree::Match match = cache.FindLongestPrefix(kSpace, Tokens{1, 2, 3}, 3);
  EXPECT_EQ(match.sequence, busy);
  EXPECT_EQ(cache.CountBusyCells(match.sequence, match.length), 3);
}

// What a search through all sequences finds. Of a busy sequence the tree knows at least what it held when it was
// published, and no more than it holds now.
struct Naive {
  struct Sequence {
    std::string space;
    Tokens tokens;
    size_t published = 0;
  };

  std::pair<int, int> FindBounds(const std::string& space, const Tokens& query) const {
    int least = 0, most = 0;
    for (const auto& [id, sequence] : busy) {
      if (sequence.space != space) continue;
      int common = Common(sequence.tokens, query);
      most = std::max(most, common);
      least = std::max(least, std::min(common, static_cast<int>(sequence.published)));
    }
    return {least, most};
  }
  static int Common(const Tokens& a, const Tokens& b) {
    size_t length = 0;
    while (length < std::min(a.size(), b.size()) && a[length] == b[length]) ++length;
    return static_cast<int>(length);
  }

  std::map<SequenceId, Sequence> busy;
};

TEST(KvCache, FindsWhatASearchThroughAllSequencesFinds) {
  std::mt19937 random(7);
  KvCache cache(Sized(200, 12));
  Naive naive;
  auto any = [&] { return std::next(naive.busy.begin(), random() % naive.busy.size()); };
  for (int i = 0; i < 20000; ++i) {
    const std::string space(1, static_cast<char>('x' + random() % 2));
    Tokens query(1 + random() % 12);
    for (Token& token : query) token = static_cast<Token>(random() % 2);
    PrefixTree::Match match = cache.FindLongestPrefix(space, query, static_cast<int>(query.size()));
    auto [least, most] = naive.FindBounds(space, query);
    for (SequenceId id = 0; id < cache.max_sequences(); ++id) {  // Idle ones: their tokens are the book's.
      if (naive.busy.count(id) > 0 || cache.SpaceOf(id) != space) continue;
      Span<const Token> held = cache.Tokens(id);
      int common = Naive::Common(Tokens(held.begin(), held.end()), query);
      least = std::max(least, common);
      most = std::max(most, common);
    }
    ASSERT_GE(match.length, least);
    ASSERT_LE(match.length, most);
    size_t choice = random() % 5;
    if (choice == 0 && naive.busy.size() < 5) {
      SequenceId id = *cache.Begin(space, match.sequence, match.length);
      naive.busy[id] = {space, Tokens(query.begin(), query.begin() + match.length), 0};
    } else if (naive.busy.empty()) {
      continue;
    } else if (choice == 1) {
      auto chosen = any();
      random() % 4 == 0 ? cache.Drop(chosen->first) : cache.Retire(chosen->first);
      naive.busy.erase(chosen);
    } else if (choice == 2) {
      auto chosen = any();
      cache.Publish(chosen->first);
      chosen->second.published = chosen->second.tokens.size();
    } else if (auto chosen = any(); chosen->second.tokens.size() < 20) {
      const auto token = static_cast<Token>(random() % 2);
      cache.Append({&chosen->first, 1}, token);
      chosen->second.tokens.push_back(token);
    }
    if (random() % 500 == 0) cache.EvictIdle();
  }
}

}  // namespace
}  // namespace winnow
