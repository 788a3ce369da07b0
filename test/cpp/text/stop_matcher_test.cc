#include "text/stop_matcher.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace winnow {
namespace {

struct Outcome {
  std::string text;
  int stop = -1;  // -1 = none.
};
bool operator==(const Outcome& a, const Outcome& b) { return a.text == b.text && a.stop == b.stop; }
std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << '"' << outcome.text << "\" stop " << outcome.stop;
}

Outcome Match(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  Outcome outcome;
  for (const std::string& piece : pieces) {
    const StopMatcher::Result result = matcher.Push(piece);
    outcome.text += result.text;
    if (!result.stop) continue;
    outcome.stop = *result.stop;
    break;
  }
  outcome.text += matcher.Finish();
  return outcome;
}

// On the whole text: the first place where a stop string ends, and there the longest.
Outcome NaiveMatch(const std::vector<std::string>& stops, const std::string& text) {
  for (size_t end = 0; end <= text.size(); ++end) {
    int longest = -1;
    for (size_t i = 0; i < stops.size(); ++i) {
      const size_t size = stops[i].size();
      if (size > end || text.compare(end - size, size, stops[i]) != 0) continue;
      if (longest < 0 || size > stops[longest].size()) longest = static_cast<int>(i);
    }
    if (longest >= 0) return {text.substr(0, end - stops[longest].size()), longest};
  }
  return {text, -1};
}

TEST(StopMatcher, PassesEverythingWithoutStops) {
  StopMatcher matcher({});
  EXPECT_EQ(matcher.Push("abc").text, "abc");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBecomeAStop) {
  StopMatcher matcher({"END"});
  EXPECT_EQ(matcher.Push("the E").text, "the ");
  EXPECT_EQ(matcher.Push("N").text, "");
  EXPECT_EQ(matcher.Push("x").text, "ENx");
  EXPECT_EQ(matcher.Push("E").text, "");
  EXPECT_EQ(matcher.Finish(), "E");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcher, CutsTheStopAndWhatFollows) {
  EXPECT_EQ(Match({"END"}, {"the END of"}), (Outcome{"the ", 0}));
  EXPECT_EQ(Match({"END"}, {"the E", "N", "D of"}), (Outcome{"the ", 0}));
  EXPECT_EQ(Match({"x"}, {"x"}), (Outcome{"", 0}));
}

TEST(StopMatcher, FindsStopsThatOverlapTheirOwnBeginning) {
  EXPECT_EQ(Match({"aab"}, {"a", "a", "a", "b"}), (Outcome{"a", 0}));
  EXPECT_EQ(Match({"aab"}, {"aaab"}), (Outcome{"a", 0}));
  EXPECT_EQ(Match({"abab"}, {"aba", "abab"}), (Outcome{"aba", 0}));
  EXPECT_EQ(Match({"\n\n"}, {"a\n", "b\n", "\n"}), (Outcome{"a\nb", 0}));
}

TEST(StopMatcher, TakesTheMatchThatIsCompleteFirst) {
  EXPECT_EQ(Match({"cd", "bc"}, {"abcd"}), (Outcome{"a", 1}));
  EXPECT_EQ(Match({"abcd", "c"}, {"ab", "cd"}), (Outcome{"ab", 1}));
}

TEST(StopMatcher, TakesTheLongestOfThoseThatEndAtOnePlace) {
  EXPECT_EQ(Match({"c", "bc", "xbc"}, {"ab", "c"}), (Outcome{"a", 1}));
}

TEST(StopMatcher, NeverCutsACharacter) {
  StopMatcher matcher({"\xC3\xA8"});  // è; the piece is é, which begins with the same byte.
  EXPECT_EQ(matcher.Push("caf\xC3\xA9").text, "caf\xC3\xA9");
}

TEST(StopMatcher, AgreesWithASearchInTheWholeTextHoweverItIsCut) {
  std::mt19937 random(2);
  const auto random_text = [&](size_t size) {
    std::string text(size, ' ');
    for (char& letter : text) letter = static_cast<char>('a' + random() % 2);
    return text;
  };
  int num_found = 0;
  for (unsigned round = 0; round < 20000; ++round) {
    std::vector<std::string> stops;
    while (stops.size() < 1 + round % 3) stops.push_back(random_text(1 + random() % 6));
    const std::string text = random_text(random() % 20);
    std::vector<std::string> pieces;
    for (size_t begin = 0; begin < text.size(); begin += pieces.back().size()) {
      pieces.push_back(text.substr(begin, 1 + random() % 5));
    }
    const Outcome expected = NaiveMatch(stops, text);
    num_found += expected.stop >= 0;
    ASSERT_EQ(Match(stops, pieces), expected) << "round " << round << ", text " << text;
  }
  EXPECT_GT(num_found, 5000);
  EXPECT_LT(num_found, 19000);
}

}  // namespace
}  // namespace winnow
