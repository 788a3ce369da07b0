#include "text/sentence_tracker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace winnow {
namespace {

// Which pieces end a sentence.
std::vector<bool> EndsOf(const std::vector<std::string>& pieces) {
  SentenceTracker tracker;
  std::vector<bool> ends;
  for (const std::string& piece : pieces) {
    tracker.Push(piece);
    ends.push_back(tracker.has_just_ended());
  }
  return ends;
}

bool IsAtEnd(const std::string& text) {
  SentenceTracker tracker;
  tracker.Push(text);
  return tracker.is_at_end();
}

TEST(SentenceTracker, FindsTheEndsOnce) {
  EXPECT_EQ(EndsOf({"It", " rains", ".", " ", "\n", "Why", "?", "!", "?", " So"}),
            (std::vector<bool>{false, false, true, false, false, false, true, false, false, false}));
}

TEST(SentenceTracker, LooksThroughClosingQuotesAndBrackets) {
  EXPECT_TRUE(IsAtEnd("(He said \"no.\")  \n"));
  EXPECT_TRUE(IsAtEnd("Она ушла.»"));
  EXPECT_FALSE(IsAtEnd("(no"));
  EXPECT_FALSE(IsAtEnd(""));
  EXPECT_FALSE(IsAtEnd(" \n"));
}

TEST(SentenceTracker, KnowsTheEndsOfOtherScripts) {
  for (const char* text : {"雨だ。", "本当？", "早く！」", "well…"}) EXPECT_TRUE(IsAtEnd(text)) << text;
  EXPECT_FALSE(IsAtEnd("雨、"));
}

TEST(SentenceTracker, ReadsCharactersThatAreCutIntoTokens) {
  EXPECT_EQ(EndsOf({"\xE3\x80", "\x82", "\xE3", "\x80\x81"}), (std::vector<bool>{false, true, false, false}));
}

TEST(SentenceTracker, BytesThatAreNoCharacterEndNothing) {
  EXPECT_FALSE(IsAtEnd("\x82\x82\xFF\xC0"));
  EXPECT_FALSE(IsAtEnd(".\xFF"));
}

}  // namespace
}  // namespace winnow
