#include "grammar/grammar_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace winnow {
namespace {

using Tokens = std::vector<Token>;

// The last token ends the text.
class Fixture {
 public:
  Fixture(const std::string& grammar, std::vector<std::string> texts)
      : end_(static_cast<Token>(texts.size())),
        texts_(std::move(texts)),
        table_(std::make_shared<TokenTable>(end_ + 1, [&](Token token) { return token == end_ ? "" : texts_[token]; })),
        filter_(std::make_shared<Grammar>(ParseGbnf(grammar)), table_, Tokens{end_}) {}

  std::vector<bool> Allowed() {
    std::vector<float> row(end_ + 1, 1.0f);
    filter_.Mask(row);
    std::vector<bool> allowed(row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      EXPECT_TRUE(row[i] == 1.0f || std::isinf(row[i]));
      allowed[i] = row[i] == 1.0f;
      EXPECT_EQ(filter_.Allows(static_cast<Token>(i)), allowed[i]) << i;
    }
    return allowed;
  }
  std::string AllowedTexts() {
    std::string texts;
    const std::vector<bool> allowed = Allowed();
    for (size_t i = 0; i < allowed.size(); ++i) {
      if (allowed[i]) texts += (static_cast<Token>(i) == end_ ? "END" : texts_[i]) + ";";
    }
    return texts;
  }
  GrammarFilter& filter() { return filter_; }

 private:
  Token end_;
  std::vector<std::string> texts_;
  std::shared_ptr<const TokenTable> table_;
  GrammarFilter filter_;
};

TEST(GrammarFilter, AllowsTokensThatKeepTheTextInsideTheGrammar) {
  Fixture fixture("root ::= \"abc\" | \"abd\"", {"a", "ab", "abc", "b", "bd", "c", "d", "abcd", ""});
  EXPECT_EQ(fixture.AllowedTexts(), "a;ab;abc;");
  fixture.filter().Accept(0);
  EXPECT_EQ(fixture.AllowedTexts(), "b;bd;");
  fixture.filter().Accept(3);
  EXPECT_EQ(fixture.AllowedTexts(), "c;d;");
  EXPECT_FALSE(fixture.filter().is_finished());
  fixture.filter().Accept(5);
  EXPECT_TRUE(fixture.filter().is_finished());
  EXPECT_EQ(fixture.AllowedTexts(), "END;");
}

TEST(GrammarFilter, AllowsTheEndWhereTheTextMayAlsoGoOn) {
  Fixture fixture("root ::= \"a\"+", {"a", "aa", "b"});
  fixture.filter().Accept(1);
  EXPECT_EQ(fixture.AllowedTexts(), "a;aa;END;");
  EXPECT_FALSE(fixture.filter().is_finished());
}

TEST(GrammarFilter, TokensMayCutCharacters) {
  Fixture fixture("root ::= \"\xC3\xA4\"", {"\xC3", "\xA4", "\xC3\xA4", "\xC3\xB6"});
  EXPECT_EQ(fixture.AllowedTexts(), "\xC3;\xC3\xA4;");
}

TEST(GrammarFilter, IdsOutsideTheTableAreNotAllowed) {
  Fixture fixture("root ::= \"a\"", {"a"});
  EXPECT_FALSE(fixture.filter().Allows(-1));
  EXPECT_FALSE(fixture.filter().Allows(99));
  std::vector<float> row(5, 0.0f);  // A row may be longer than the vocabulary that the tokenizer knows.
  fixture.filter().Mask(row);
  EXPECT_TRUE(std::isinf(row[4]));
}

// Mask walks the vocabulary in alphabetical order and shares beginnings; Allows reads each token alone (both are
// compared in Fixture::Allowed).
TEST(GrammarFilter, MaskAndAllowsAgreeOnRandomVocabularies) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> texts(60);
    for (std::string& text : texts) {
      for (size_t i = random() % 5; i-- > 0;) text += static_cast<char>('a' + random() % 3);
    }
    Fixture fixture("root ::= (\"ab\" | \"ba\" | \"c\" root \"c\" | \"aa\" [bc])+", texts);
    for (int step = 0; step < 6; ++step) {
      const std::vector<bool> allowed = fixture.Allowed();
      Tokens choices;
      for (size_t i = 0; i + 1 < allowed.size(); ++i) {
        if (allowed[i]) choices.push_back(static_cast<Token>(i));
      }
      if (choices.empty()) break;
      fixture.filter().Accept(choices[random() % choices.size()]);
    }
  }
}

}  // namespace
}  // namespace winnow
