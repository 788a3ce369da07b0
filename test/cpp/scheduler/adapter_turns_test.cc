#include "scheduler/adapter_turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace winnow {
namespace {

const AdapterSet kNone, kA{{1, 1}}, kHalfA{{1, 0.5}}, kAB{{1, 1}, {2, 1}};

// The set whose step it is, when all that are open have something to do.
const AdapterSet& Next(AdapterTurns& turns) {
  AdapterGroup* group = turns.Order().front();
  turns.Take(group);
  return group->adapters;
}

TEST(AdapterTurns, EqualSetsAreOneGroup) {
  AdapterTurns turns(4);
  EXPECT_EQ(turns.Open(kA), turns.Open({{1, 1}}));
  EXPECT_NE(turns.Open(kHalfA), turns.Open(kA));
  EXPECT_EQ(turns.num_groups(), 2);
}

TEST(AdapterTurns, KeysAreDifferentAndStay) {
  AdapterTurns turns(4);
  const AdapterSet half_ab{{1, 0.5}, {2, 1}}, other{{12, 1}};
  std::map<std::string, int> keys;
  for (const AdapterSet& set : {kNone, kA, kHalfA, kAB, half_ab, other}) ++keys[turns.Open(set)->key];
  EXPECT_EQ(keys.size(), 6u);
  AdapterTurns later(4);
  EXPECT_EQ(keys.count(later.Open(kAB)->key), 1u);
}

TEST(AdapterTurns, OneGroupAloneHasEveryStep) {
  AdapterTurns turns(2);
  turns.Open(kA);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Next(turns), kA);
}

TEST(AdapterTurns, GroupsAlternateByTurns) {
  AdapterTurns turns(2);
  turns.Open(kNone);
  EXPECT_EQ(Next(turns), kNone);
  turns.Open(kA);
  turns.Open(kAB);
  std::vector<AdapterSet> order;
  for (int i = 0; i < 8; ++i) order.push_back(Next(turns));
  EXPECT_EQ(order, (std::vector<AdapterSet>{kNone, kA, kA, kAB, kAB, kNone, kNone, kA}));
}

TEST(AdapterTurns, WhoHasNothingToDoKeepsItsPlace) {
  AdapterTurns turns(2);
  turns.Open(kNone);
  turns.Open(kA);
  turns.Open(kAB);
  std::vector<AdapterGroup*> order = turns.Order();
  turns.Take(order[1]);
  turns.Take(order[1]);
  EXPECT_EQ(turns.Order().front(), order[0]);
}

TEST(AdapterTurns, AGroupWithoutRequestsIsForgotten) {
  AdapterTurns turns(4);
  AdapterGroup* none = turns.Open(kNone);
  turns.Open(kA);
  turns.Take(none);
  turns.Close(none);
  EXPECT_EQ(Next(turns), kA);
  EXPECT_EQ(turns.num_groups(), 1);
}

// Sets come and go, and each that is open and able to go on has its step within the bound.
TEST(AdapterTurns, NobodyWaitsLongerThanTheBound) {
  std::mt19937 random(7);
  for (int turn : {1, 2, 4}) {
    AdapterTurns turns(turn);
    std::map<int, AdapterGroup*> open;
    std::map<AdapterGroup*, int> waited;
    for (int step = 0; step < 20'000; ++step) {
      const int set = 1 + static_cast<int>(random() % 6);
      if (random() % 8 == 0 && open.count(set) == 0) waited[open[set] = turns.Open({{set, 1}})] = 0;
      if (random() % 12 == 0 && open.count(set) > 0) {
        waited.erase(open[set]);
        turns.Close(open[set]);
        open.erase(set);
      }
      std::vector<AdapterGroup*> order = turns.Order();
      ASSERT_EQ(order.size(), open.size());
      if (order.empty()) continue;
      turns.Take(order.front());
      for (auto& [group, steps] : waited) {
        steps = group == order.front() ? 0 : steps + 1;
        // A set that has come since may have been before it in the worst case: six in all.
        ASSERT_LE(steps, 5 * turn);
      }
    }
  }
}

}  // namespace
}  // namespace winnow
