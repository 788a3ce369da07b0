#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "fixture.h"

namespace winnow {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(EngineTest, BlockedNgramsDoNotComeTwice) {
  Open("fake");
  const std::string prompt = "abcdefghijklmnopqrstuvwxyz";
  Request request = Greedy(prompt, 200);
  request.sampling.logit_bias = {{'a', 5.0f}, {'b', 5.0f}, {'c', 4.0f}};
  auto has_repeats = [](const std::string& text) {
    for (size_t i = 0; i + 2 <= text.size(); ++i) {
      if (CountOf(text, text.substr(i, 2)) > 1) return true;
    }
    return false;
  };
  EXPECT_TRUE(has_repeats(Run(request).texts[0]));
  request.max_tokens = 60;
  request.sampling.ngram_penalties = {{2, kInfinity}};
  const std::string own = Run(request).texts[0];
  EXPECT_FALSE(has_repeats(own));
  EXPECT_TRUE(has_repeats(prompt + own));
  request.sampling.ngram_context = true;
  EXPECT_FALSE(has_repeats(prompt + Run(request).texts[0]));
}

TEST_F(EngineTest, ATextBiasIsOfTheTokensThatTheTextHas) {
  Open("fake");
  const std::string text = Alone(*fake, "hello", 20);
  Request request = Greedy("hello", 20);
  request.text_bias = {{text.substr(7, 3), -kInfinity}};
  const std::string banned = Run(request).texts[0];
  EXPECT_EQ(banned.substr(0, 9), text.substr(0, 9)) << "its beginning may come";
  EXPECT_EQ(CountOf(banned, text.substr(7, 3)), 0);
  request.text_bias = {{"#", 50.0f}};
  EXPECT_EQ(Run(request).texts[0], std::string(20, '#'));
}

TEST_F(EngineTest, FactualNucleusGrowsSureWithinASentence) {
  Open("fake");
  Request request = Greedy("hello", 80);
  request.sampling.temperature = 1;
  request.sampling.seed = 4;
  request.sampling.top_k = 16;  // Letters, spaces, and the dot.
  request.sampling.logit_bias = {{'.', 6.0f}};
  request.sampling.nucleus_decay = 0.001f;  // From the third token of a sentence on, the likeliest one alone is left.
  Inbox::Received received = Run(request);
  std::vector<Token> sequence = Tokens("hello");
  int num_in_sentence = 0, num_surprises = 0, num_sentences = 0;
  bool is_at_end = false;
  for (Token token : received.tokens[0]) {
    std::vector<float> row = fake->RowBehind(sequence);
    row['.'] += 6;
    row[FakeBackend::kEos] = -100;
    const auto likeliest = static_cast<Token>(std::max_element(row.begin(), row.end()) - row.begin());
    EXPECT_TRUE(num_in_sentence < 2 || token == likeliest);
    num_surprises += token != likeliest;
    num_sentences += token == '.';
    is_at_end = token == '.' || (is_at_end && token == ' ');
    num_in_sentence = is_at_end ? 0 : num_in_sentence + 1;
    sequence.push_back(token);
  }
  EXPECT_GT(num_surprises, 5);
  EXPECT_GT(num_sentences, 5);
}

}  // namespace
}  // namespace winnow
