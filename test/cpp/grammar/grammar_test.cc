#include "grammar/grammar.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "grammar/recognizer.h"

namespace winnow {
namespace {

std::shared_ptr<const Grammar> Parse(std::string_view text) { return std::make_shared<Grammar>(ParseGbnf(text)); }

std::string Repeated(const std::string& text, int count) {
  std::string repeated;
  for (int i = 0; i < count; ++i) repeated += text;
  return repeated;
}

// 'n': no byte sequence of the grammar begins so; 'b': a beginning; 'c': complete, and more may follow; 'f': finished.
char StateOf(const std::shared_ptr<const Grammar>& grammar, const std::string& text) {
  Recognizer recognizer(grammar);
  for (char c : text) {
    if (!recognizer.Push(static_cast<uint8_t>(c))) return 'n';
  }
  if (!recognizer.is_complete()) return 'b';
  return recognizer.can_continue() ? 'c' : 'f';
}
char StateOf(const std::string& grammar, const std::string& text) { return StateOf(Parse(grammar), text); }

std::string ErrorOf(const std::string& grammar) {
  try {
    ParseGbnf(grammar);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "ERR_GRAMMAR");
    return error.what();
  }
  return "";
}

TEST(Gbnf, ReadsLiteralsAndAlternatives) {
  const auto grammar = Parse(R"(root ::= "yes" | "no")");
  EXPECT_EQ(StateOf(grammar, ""), 'b');
  EXPECT_EQ(StateOf(grammar, "ye"), 'b');
  EXPECT_EQ(StateOf(grammar, "yes"), 'f');
  EXPECT_EQ(StateOf(grammar, "yesno"), 'n');
  EXPECT_EQ(StateOf(grammar, "x"), 'n');
}

TEST(Gbnf, ReadsClassesWithRangesAndEscapes) {
  EXPECT_EQ(StateOf(R"(root ::= [a-c\]\n-])", "]"), 'f');
  EXPECT_EQ(StateOf(R"(root ::= [a-c\]\n-])", "-"), 'f');
  EXPECT_EQ(StateOf(R"(root ::= [a-c\]\n-])", "d"), 'n');
  EXPECT_EQ(StateOf(R"(root ::= [^a])", "a"), 'n');
  EXPECT_EQ(StateOf(R"(root ::= [^a])", "\xC3\xA4"), 'f');
  EXPECT_EQ(StateOf("root ::= \"\\x41\\u00e4\\U0001F600\"", "A\xC3\xA4\xF0\x9F\x98\x80"), 'f');
}

TEST(Gbnf, ClassesAreOfCharactersNotBytes) {
  const auto grammar = Parse("root ::= [\xD0\xB0-\xD1\x8F]");  // а-я
  EXPECT_EQ(StateOf(grammar, "\xD0"), 'b');
  EXPECT_EQ(StateOf(grammar, "\xD0\xB6"), 'f');
  EXPECT_EQ(StateOf(grammar, "\xD0\x90"), 'n');  // А
  EXPECT_EQ(StateOf(grammar, "\xD1\x90"), 'n');  // ѐ, behind я
}

TEST(Gbnf, EveryCharacterMatchesTheDotAndNothingElseDoes) {
  const auto grammar = Parse("root ::= .");
  for (const char* text : {"a", "\n", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80"}) {
    EXPECT_EQ(StateOf(grammar, text), 'f') << text;
  }
  for (const char* text : {"\x80", "\xC1", "\xED\xA0", "\xE0\x80", "\xF4\x90", "\xF5", "\xF0\x80"}) {
    EXPECT_EQ(StateOf(grammar, text), 'n') << text;
  }
}

TEST(Gbnf, RangesOfCharactersMatchExactlyThose) {
  std::mt19937 random(1);
  const auto utf8 = [](uint32_t c) {
    const auto tail = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
    if (c < 0x80) return std::string{static_cast<char>(c)};
    if (c < 0x800) return std::string{static_cast<char>(0xC0 | c >> 6), tail(c)};
    if (c < 0x10000) return std::string{static_cast<char>(0xE0 | c >> 12), tail(c >> 6), tail(c)};
    return std::string{static_cast<char>(0xF0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
  };
  const auto draw = [&] {
    const uint32_t c = random() % (1u << (5 + random() % 17)) % 0x110000;
    return c >= 0xD800 && c < 0xE000 ? c - 0x1000 : c;
  };
  for (int round = 0; round < 300; ++round) {
    uint32_t first = draw(), last = draw();
    if (first > last) std::swap(first, last);
    char text[64];
    std::snprintf(text, sizeof(text), "root ::= [\\U%08x-\\U%08x]", first, last);
    const auto grammar = Parse(text);
    for (uint32_t c : {first, last, first == 0 ? 0 : first - 1, last + 1, draw(), draw()}) {
      if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) continue;
      ASSERT_EQ(StateOf(grammar, utf8(c)), c >= first && c <= last ? 'f' : 'n') << text << " " << c;
    }
  }
}

TEST(Gbnf, ReadsGroupsRulesAndComments) {
  const std::string grammar = "# a list\nroot ::= item (\n  \", \" # and more\n  item)*\nitem ::= \"a\" |\n  \"b\"\n";
  EXPECT_EQ(StateOf(grammar, "a, b, a"), 'c');
  EXPECT_EQ(StateOf(grammar, "a, "), 'b');
  EXPECT_EQ(StateOf(grammar, "a,b"), 'n');
}

TEST(Gbnf, RepetitionsCountExactly) {
  struct Case {
    std::string repetition;
    int min, max;
  };
  for (const auto& [repetition, min, max] : std::vector<Case>{{"*", 0, 999},
                                                              {"+", 1, 999},
                                                              {"?", 0, 1},
                                                              {"{3}", 3, 3},
                                                              {"{2,}", 2, 999},
                                                              {"{0,0}", 0, 0},
                                                              {"{0,7}", 0, 7},
                                                              {"{0,8}", 0, 8},
                                                              {"{ 0 , 9 }", 0, 9},
                                                              {"{1,23}", 1, 23},
                                                              {"{5,60}", 5, 60}}) {
    for (const std::string& unit : {std::string("\"ab\""), std::string("(\"ab\" | \"xy\")")}) {
      const auto grammar = Parse("root ::= " + unit + repetition + " \"!\"");
      for (int count = 0; count <= 64; ++count) {
        ASSERT_EQ(StateOf(grammar, Repeated("ab", count) + "!"), count >= min && count <= max ? 'f' : 'n')
            << unit << repetition << " " << count;
      }
    }
  }
}

TEST(Gbnf, RulesMayBeRecursiveOnAnySideAndAmbiguous) {
  EXPECT_EQ(StateOf(R"(root ::= root "a" | "a")", "aaaa"), 'c');
  EXPECT_EQ(StateOf(R"gbnf(root ::= "(" root ")" | "")gbnf", "(())"), 'f');
  EXPECT_EQ(StateOf(R"gbnf(root ::= "(" root ")" | "")gbnf", "(()"), 'b');
  EXPECT_EQ(StateOf(R"(root ::= root root | "a")", "aaa"), 'c');
  EXPECT_EQ(StateOf("root ::= a a a \"b\"\na ::= \"x\"? y\ny ::= a | \"\"", "xxb"), 'f');
  EXPECT_EQ(StateOf(R"(root ::= root | "a")", "a"), 'f');
}

TEST(Gbnf, RulesThatMatchNoTextAreAsIfTheyWereNotThere) {
  EXPECT_EQ(StateOf("root ::= \"a\" | \"a\" loop\nloop ::= \"b\" loop", "a"), 'f');
  EXPECT_NE(ErrorOf("root ::= \"a\" root").find("line 1, column 1: no text matches"), std::string::npos);
}

TEST(Gbnf, WrongGrammarsAreRefusedByPlace) {
  EXPECT_EQ(ErrorOf("root ::= \"a\n"), "Grammar, line 1, column 10: this literal is not closed.");
  EXPECT_EQ(ErrorOf("root ::= \"a\"\nb ::= [z-a]"), "Grammar, line 2, column 8: the range is upside down.");
  EXPECT_EQ(ErrorOf("root ::= x"), "Grammar, line 1, column 10: there is no rule 'x'.");
  EXPECT_EQ(ErrorOf("root ::= (\"a\""), "Grammar, line 1, column 10: this parenthesis is not closed.");
  EXPECT_EQ(ErrorOf("root ::= \"a\"{3,2}"), "Grammar, line 1, column 17: the repetition's numbers are upside down.");
  EXPECT_EQ(ErrorOf("root ::= \"a\"\nroot ::= \"b\""), "Grammar, line 2, column 1: the rule is defined twice.");
  EXPECT_EQ(ErrorOf("a ::= \"a\""), "Grammar, line 1, column 10: the grammar has no rule 'root'.");
  EXPECT_EQ(ErrorOf(""), "Grammar, line 1, column 1: the grammar has no rule 'root'.");
  EXPECT_NE(ErrorOf("a ::= \"x\"\nroot ::= a root").find("line 2, column 1: no text matches"), std::string::npos);
  EXPECT_EQ(ErrorOf("root = \"a\""), "Grammar, line 1, column 6: '::=' is expected.");
  EXPECT_EQ(ErrorOf("root ::= [\\q]"), "Grammar, line 1, column 11: unknown escape.");
  EXPECT_EQ(ErrorOf("root ::= []"), "Grammar, line 1, column 10: the class is empty.");
  EXPECT_NE(ErrorOf("root ::= <think>").find("column 10: terminals that are tokens"), std::string::npos);
  EXPECT_NE(ErrorOf("root ::= \"\\uD800\"").find("no such character"), std::string::npos);
  EXPECT_NE(ErrorOf("root ::= \"a\" )").find("the end of the rule is expected"), std::string::npos);
}

TEST(Gbnf, NestingIsAcceptedUpToItsLimit) {
  const auto nested = [](int depth) { return "root ::= " + Repeated("(", depth) + "\"a\"" + Repeated(")", depth); };
  EXPECT_EQ(StateOf(nested(200), "a"), 'f');
  EXPECT_NE(ErrorOf(nested(201)).find("column 210: parentheses are nested more than 200 deep"), std::string::npos);
  EXPECT_NE(ErrorOf(nested(100000)).find("nested more than 200 deep"), std::string::npos);
  EXPECT_NE(ErrorOf(nested(1000000)).find("column 1048577: the grammar has 2000012 bytes"), std::string::npos);
}

TEST(Gbnf, RepetitionsOfRepetitionsStayWithinTheLimit) {
  EXPECT_EQ(ErrorOf("root ::= ((\"a\"{0,10000}){0,10000}){0,10000}"), "");
  EXPECT_NE(ErrorOf("root ::= \"a\"{10001}").find("more than 10000 repetitions"), std::string::npos);
  EXPECT_NE(ErrorOf("root ::= " + Repeated("\"a\"{9999} ", 50)).find("column 419: the grammar is too large"),
            std::string::npos);
}

TEST(Gbnf, DeepRulesTakeNoStack) {
  std::string chain = "root ::= a0\n";
  for (int i = 0; i < 600; ++i) chain += "a" + std::to_string(i) + "::=a" + std::to_string(i + 1) + "\n";
  EXPECT_EQ(StateOf(chain + "a600 ::= \"x\"", "x"), 'f');
  EXPECT_EQ(StateOf("root ::= \"a\"" + Repeated("*", 20000), "a"),
            'n');  // Beyond the limit of items: nothing may come.
}

TEST(Recognizer, TakesBytesBack) {
  Recognizer recognizer(Parse(R"(root ::= "ab" | "ac")"));
  ASSERT_TRUE(recognizer.Push('a'));
  ASSERT_TRUE(recognizer.Push('b'));
  EXPECT_FALSE(recognizer.Push('c'));
  recognizer.Truncate(1);
  EXPECT_FALSE(recognizer.is_complete());
  EXPECT_TRUE(recognizer.Push('c'));
  EXPECT_TRUE(recognizer.is_complete());
  recognizer.Truncate(0);
  EXPECT_EQ(recognizer.length(), 0u);
  EXPECT_TRUE(recognizer.Push('a'));
}

TEST(Recognizer, StepsPerByteDoNotGrowWithARepetition) {
  Recognizer recognizer(Parse("root ::= [a-z]*"));
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(recognizer.Push('a'));
  EXPECT_LT(recognizer.num_steps(), 200000u);
}

// What completes climbs through all rules, each of which waits among the others.
TEST(Recognizer, LongChainsOfRulesAndManyEqualAlternativesTakeLinearWork) {
  std::string chain = "root ::= a0\n";
  for (int i = 0; i < 1500; ++i) {
    const std::string next = "a" + std::to_string(i + 1);
    chain += "a" + std::to_string(i) + " ::= " + next + " | " + next + "\n";
  }
  Recognizer recognizer(Parse(chain + "a1500 ::= \"xyz\""));
  for (char c : std::string("xyz")) ASSERT_TRUE(recognizer.Push(static_cast<uint8_t>(c)));
  EXPECT_TRUE(recognizer.is_complete());
  EXPECT_LT(recognizer.num_steps(), 20000u);
  EXPECT_EQ(StateOf("root ::= \"ab\"" + Repeated(" | \"ab\"", 2000), "ab"), 'f');
}

TEST(Recognizer, TheWorstGrammarsAreCutOffInTimeAndMemory) {
  // Every split of the text is a parse; and two ways at each opening double the stacks of a stack machine.
  for (const char* text :
       {"root ::= root root root | \"a\" | \"\"", "root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"a\"",
        "root ::= (\"a\"? \"a\"? \"a\"?)* (\"a\"* \"a\"*)*"}) {
    Recognizer recognizer(Parse(text));
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 2000 && recognizer.Push('a'); ++i) {
    }
    EXPECT_GT(recognizer.length(), 20u) << text;
    EXPECT_LT(recognizer.num_steps(), 2000 * (Recognizer::kMaxSteps + Recognizer::kMaxItems)) << text;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << text;
  }
}

// 10,000 texts made of the notation's own pieces: each is read or refused, and what is read can be walked.
TEST(Gbnf, RandomGrammarsAreReadOrRefused) {
  const std::vector<std::string> pieces{"root",  "a", "b", "::=",     "|",    "(",         ")",        "[",
                                        "]",     "^", "-", "\"",      "\\",   "\"x\"",     "[a]",      "[^a]",
                                        "{2,3}", "*", "+", "?",       "\n",   "#",         "{",        "}",
                                        "1",     ",", ".", "\\u00e4", "\xC3", "root ::= ", "\na ::= ", "\nb ::= "};
  std::mt19937 random(7);
  int num_read = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string text = "root ::= ";
    const int length = static_cast<int>(random() % 24);
    for (int i = 0; i < length; ++i) text += pieces[random() % pieces.size()] + (random() % 2 ? " " : "");
    try {
      Recognizer recognizer(Parse(text));
      ++num_read;
      for (int i = 0; i < 50; ++i) {
        const auto first = static_cast<uint8_t>(random());
        bool has_moved = false;
        for (int b = 0; b < 256 && !has_moved; ++b) has_moved = recognizer.Push(static_cast<uint8_t>(first + b));
        ASSERT_EQ(has_moved, recognizer.length() == static_cast<size_t>(i) + 1);
        if (!has_moved) break;
      }
      ASSERT_TRUE(recognizer.is_complete() || recognizer.can_continue()) << text;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), "ERR_GRAMMAR");
    }
  }
  EXPECT_GT(num_read, 500);
}

}  // namespace
}  // namespace winnow
