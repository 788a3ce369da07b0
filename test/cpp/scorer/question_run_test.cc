#include "scorer/question_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace winnow {
namespace {

using Tokens = std::vector<Token>;

constexpr int kVocabulary = 5;

// "token<parent depth@first_path+num_paths", and "!" where logits are wanted.
std::string Show(const TokenTree& tree) {
  std::string text;
  for (const TokenTree::Node& node : tree.nodes) {
    text += std::to_string(node.token) + "<" + std::to_string(node.parent) + " " + std::to_string(node.depth) + "@" +
            std::to_string(node.first_path) + "+" + std::to_string(node.num_paths) + (node.wants_logits ? "!  " : "  ");
  }
  return text;
}

TEST(QuestionTree, EvaluatesNothingForOneTokenLabelsBehindTheBase) {
  const QuestionRun run({{}, {{1}, {2}}});
  EXPECT_EQ(Show(run.tree()), "");
  EXPECT_EQ(run.tree().num_paths, 0);
  EXPECT_TRUE(run.tree().reads_base);
}

TEST(QuestionTree, EvaluatesOnlyTheSuffixForOneTokenLabels) {
  const QuestionRun run({{7, 8}, {{1}, {2}}});
  EXPECT_EQ(Show(run.tree()), "7<-1 0@0+1  8<0 1@0+1!  ");
  EXPECT_EQ(run.tree().num_paths, 1);
  EXPECT_FALSE(run.tree().reads_base);
}

TEST(QuestionTree, SharesTheBeginningsOfLabels) {
  const QuestionRun run({{9}, {{1, 2, 3}, {1, 2, 4}, {5, 6}, {1, 7, 8}}});
  EXPECT_EQ(Show(run.tree()), "9<-1 0@0+3!  1<0 1@0+2!  2<1 2@0+1!  7<1 2@1+1!  5<0 1@2+1!  ");
  EXPECT_EQ(run.tree().num_paths, 3);
}

TEST(QuestionTree, MakesALabelsEndANodeOnlyIfAnotherLabelContinuesIt) {
  const QuestionRun run({{}, {{1}, {1, 2}, {1, 2}, {1, 2, 3}}});
  EXPECT_EQ(Show(run.tree()), "1<-1 0@0+1!  2<0 1@0+1!  ");
  EXPECT_TRUE(run.tree().reads_base);
}

TEST(QuestionTree, ReadsAContinuationBehindTheBase) {
  const QuestionRun run({{}, {{4, 5, 6}}});
  EXPECT_EQ(Show(run.tree()), "4<-1 0@0+1!  5<0 1@0+1!  ");
  EXPECT_TRUE(run.tree().reads_base);
}

TEST(QuestionTree, TakesContinuationsOfThousandsOfTokens) {
  Tokens label(20000);
  for (size_t i = 0; i < label.size(); ++i) label[i] = static_cast<Token>(i);
  const QuestionRun run({{}, {label}});
  EXPECT_EQ(run.tree().nodes.size(), 19999u);
  EXPECT_EQ(run.tree().nodes.back().depth, 19998);
  EXPECT_EQ(run.tree().num_paths, 1);
}

// A language model without a state: the row behind a sequence is a function of its tokens.
std::vector<float> Row(const Tokens& sequence) {
  uint32_t seed = 17;
  for (Token token : sequence) seed = seed * 31 + static_cast<uint32_t>(token) + 1;
  std::mt19937 random(seed);
  std::vector<float> row(kVocabulary);
  for (float& logit : row) logit = static_cast<float>(random() % 8);  // Few values: ties happen.
  return row;
}

LabelScore NaiveScore(const Tokens& suffix, const Tokens& label) {
  LabelScore score;
  Tokens sequence = suffix;
  for (Token token : label) {
    const std::vector<float> row = Row(sequence);
    double sum = 0;
    for (float logit : row) sum += std::exp(static_cast<double>(logit));
    score.token_logprobs.push_back(row[token] - std::log(sum));
    score.logprob += score.token_logprobs.back();
    score.is_greedy = score.is_greedy && std::max_element(row.begin(), row.end()) - row.begin() == token;
    sequence.push_back(token);
  }
  return score;
}

// Tokens from behind the base to `node`, the suffix included.
Tokens PathTo(const TokenTree& tree, int node) {
  Tokens path;
  for (; node >= 0; node = tree.nodes[node].parent) path.push_back(tree.nodes[node].token);
  std::reverse(path.begin(), path.end());
  return path;
}

Answer AnswerInRandomOrder(QuestionRun run, std::mt19937& random) {
  std::vector<int> rows;
  if (run.tree().reads_base) rows.push_back(-1);
  for (size_t i = 0; i < run.tree().nodes.size(); ++i) {
    if (run.tree().nodes[i].wants_logits) rows.push_back(static_cast<int>(i));
  }
  std::shuffle(rows.begin(), rows.end(), random);
  for (int row : rows) {
    EXPECT_FALSE(run.is_complete());
    run.Read(row, Row(PathTo(run.tree(), row)));
  }
  EXPECT_TRUE(run.is_complete());
  return run.TakeAnswer();
}

Question RandomQuestion(std::mt19937& random) {
  const auto tokens = [&](size_t size) {
    Tokens result(size);
    for (Token& token : result) token = static_cast<Token>(random() % kVocabulary);
    return result;
  };
  Question question;
  question.suffix = tokens(random() % 3);
  const size_t num_labels = 1 + random() % 8;
  while (question.labels.size() < num_labels) question.labels.push_back(tokens(1 + random() % 4));
  return question;
}

TEST(QuestionRun, AgreesWithScoringEveryLabelAlone) {
  std::mt19937 random(3);
  int num_greedy = 0;
  for (int round = 0; round < 2000; ++round) {
    const Question question = RandomQuestion(random);
    const Answer answer = AnswerInRandomOrder(QuestionRun(question), random);
    ASSERT_EQ(answer.labels.size(), question.labels.size());
    for (size_t i = 0; i < question.labels.size(); ++i) {
      const LabelScore expected = NaiveScore(question.suffix, question.labels[i]);
      const LabelScore& label = answer.labels[i];
      ASSERT_NEAR(label.logprob, expected.logprob, 1e-5);
      ASSERT_EQ(label.token_logprobs.size(), expected.token_logprobs.size());
      for (size_t j = 0; j < label.token_logprobs.size(); ++j) {
        ASSERT_NEAR(label.token_logprobs[j], expected.token_logprobs[j], 1e-5);
      }
      ASSERT_EQ(label.is_greedy, expected.is_greedy);
      num_greedy += label.is_greedy;
    }
  }
  EXPECT_GT(num_greedy, 100);
}

TEST(QuestionRun, EvaluatesEachProperBeginningOnceInDepthFirstOrder) {
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    const Question question = RandomQuestion(random);
    const QuestionRun run(question);
    const std::vector<TokenTree::Node>& nodes = run.tree().nodes;
    std::set<Tokens> beginnings;
    for (const Tokens& label : question.labels) {
      for (size_t length = 1; length < label.size(); ++length) {
        Tokens sequence = question.suffix;
        sequence.insert(sequence.end(), label.begin(), label.begin() + length);
        beginnings.insert(sequence);
      }
    }
    std::set<Tokens> evaluated;
    for (size_t i = question.suffix.size(); i < nodes.size(); ++i)
      evaluated.insert(PathTo(run.tree(), static_cast<int>(i)));
    ASSERT_EQ(evaluated, beginnings);
    ASSERT_EQ(nodes.size(), question.suffix.size() + beginnings.size());

    std::vector<int> leaves;  // The paths, in order.
    for (size_t i = 0; i < nodes.size(); ++i) {
      const auto is_child = [&](const TokenTree::Node& node) { return node.parent == static_cast<int>(i); };
      if (std::none_of(nodes.begin(), nodes.end(), is_child)) leaves.push_back(static_cast<int>(i));
    }
    ASSERT_EQ(run.tree().num_paths, static_cast<int>(leaves.size()));
    for (size_t i = 0; i < nodes.size(); ++i) {
      ASSERT_LT(nodes[i].parent, static_cast<int>(i));
      for (int path = 0; path < run.tree().num_paths; ++path) {
        int node = leaves[path];
        while (node > static_cast<int>(i)) node = nodes[node].parent;
        const bool passes = path >= nodes[i].first_path && path < nodes[i].first_path + nodes[i].num_paths;
        ASSERT_EQ(node == static_cast<int>(i), passes) << "node " << i << ", path " << path;
      }
    }
  }
}

TEST(QuestionRun, CandidatesShareOneCompiledQuestionAndReadApart) {
  auto question = std::make_shared<const CompiledQuestion>(winnow::Question{{7}, {{1}, {2}}});
  QuestionRun first(question), second(question);
  EXPECT_EQ(&first.tree(), &second.tree());
  first.Read(0, std::vector<float>{0, 1, 2, 0, 0});
  EXPECT_TRUE(first.is_complete());
  EXPECT_FALSE(second.is_complete());
}

TEST(QuestionRun, GivesTheLikeliestTokensOfEachPlaceWhereAskedFor) {
  Question question{{}, {{4, 2}, {1}}};
  question.top_logprobs = 2;
  QuestionRun run(question);
  run.Read(-1, std::vector<float>{0, 5, 0, 0, 6});
  run.Read(0, std::vector<float>{1, 0, 3, 0, 0});
  const Answer answer = run.TakeAnswer();
  const auto tokens_of = [](const LabelScore& label) {
    Tokens tokens;
    for (const LikelyToken& likely : label.top) tokens.push_back(likely.token);
    return tokens;
  };
  EXPECT_EQ(tokens_of(answer.labels[0]), (Tokens{4, 1, 2, 0}));
  EXPECT_EQ(tokens_of(answer.labels[1]), (Tokens{4, 1}));
  EXPECT_EQ(answer.labels[0].top[0].logprob, answer.labels[0].token_logprobs[0]);
}

}  // namespace
}  // namespace winnow
