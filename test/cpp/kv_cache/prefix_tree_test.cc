#include "kv_cache/prefix_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace winnow {
namespace {

using Tokens = std::vector<Token>;

int CommonLength(const Tokens& a, const Tokens& b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  return static_cast<int>(i);
}

TEST(PrefixTree, FindsTheLongestCommonPrefix) {
  PrefixTree tree;
  tree.Insert(3, Tokens{1, 2, 3, 4});
  tree.Insert(5, Tokens{1, 2, 9});
  PrefixTree::Match match = tree.Find(Tokens{1, 2, 3, 7});
  EXPECT_EQ(match.sequence, 3);
  EXPECT_EQ(match.length, 3);
  EXPECT_EQ(tree.Find(Tokens{1, 2, 9, 9}).sequence, 5);
}

TEST(PrefixTree, FindsNothingInAnEmptyTreeOrForAnUnknownToken) {
  PrefixTree tree;
  EXPECT_EQ(tree.Find(Tokens{1}).length, 0);
  tree.Insert(0, Tokens{1, 2});
  EXPECT_EQ(tree.Find(Tokens{2}).sequence, kNoSequence);
  EXPECT_EQ(tree.Find(Tokens{}).length, 0);
}

TEST(PrefixTree, InsertReplacesWhatItKnewOfASequence) {
  PrefixTree tree;
  tree.Insert(0, Tokens{1, 2});
  tree.Insert(0, Tokens{7, 8});
  EXPECT_EQ(tree.Find(Tokens{1, 2}).length, 0);
  EXPECT_EQ(tree.Find(Tokens{7, 8}).length, 2);
}

TEST(PrefixTree, RemovedSequencesLeaveNoNodes) {
  PrefixTree tree;
  tree.Insert(0, Tokens{1, 2, 3});
  tree.Insert(1, Tokens{1, 2, 4});
  EXPECT_EQ(tree.num_nodes(), 3);
  tree.Remove(0);
  tree.Remove(1);
  tree.Remove(1);
  EXPECT_EQ(tree.num_nodes(), 0);
  EXPECT_EQ(tree.Find(Tokens{1, 2, 4}).sequence, kNoSequence);
}

TEST(PrefixTree, EqualsANaiveMapOverRandomOperations) {
  std::mt19937 random(7);
  PrefixTree tree;
  std::map<SequenceId, Tokens> naive;
  auto random_tokens = [&] {
    Tokens tokens(random() % 12);
    for (Token& token : tokens) token = static_cast<Token>(random() % 3);
    return tokens;
  };
  for (int i = 0; i < 20000; ++i) {
    SequenceId sequence = static_cast<SequenceId>(random() % 40);
    Tokens tokens = random_tokens();
    switch (random() % 3) {
      case 0:
        tree.Insert(sequence, tokens);
        tokens.empty() ? (void)naive.erase(sequence) : (void)(naive[sequence] = tokens);
        break;
      case 1:
        tree.Remove(sequence);
        naive.erase(sequence);
        break;
      default: {
        int longest = 0;
        for (const auto& [id, held] : naive) longest = std::max(longest, CommonLength(held, tokens));
        PrefixTree::Match match = tree.Find(tokens);
        ASSERT_EQ(match.length, longest);
        if (longest > 0) {
          ASSERT_GE(CommonLength(naive.at(match.sequence), tokens), longest);
        }
      }
    }
  }
  for (SequenceId id = 0; id < 40; ++id) tree.Remove(id);
  EXPECT_EQ(tree.num_nodes(), 0);
}

}  // namespace
}  // namespace winnow
