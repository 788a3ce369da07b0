#include "text/text_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace winnow {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

// One byte at a time, the hardest way to cut.
std::string Decode(const std::string& bytes) {
  TextStream stream;
  std::string text;
  for (char byte : bytes) text += stream.Push(std::string(1, byte));
  return text + stream.Finish();
}

// From the definition: a scalar value encoded in its only way is a character; of anything else the longest beginning of
// a character is one subpart.
std::vector<std::string> AllCharacters() {
  std::vector<std::string> characters;
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) {
      characters.push_back({static_cast<char>(c)});
    } else if (c < 0x800) {
      characters.push_back({static_cast<char>(0xC0 | c >> 6), tail(0)});
    } else if (c < 0x10000) {
      characters.push_back({static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)});
    } else {
      characters.push_back({static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)});
    }
  }
  return characters;
}

class NaiveDecoder {
 public:
  NaiveDecoder() : characters_(AllCharacters()) { std::sort(characters_.begin(), characters_.end()); }

  std::string Decode(const std::string& bytes) const {
    std::string text;
    for (size_t i = 0; i < bytes.size();) {
      size_t length = 0;
      while (i + length < bytes.size() && IsBeginning(bytes.substr(i, length + 1))) ++length;
      const std::string part = bytes.substr(i, length);
      text += std::binary_search(characters_.begin(), characters_.end(), part) ? part : kBad;
      i += std::max<size_t>(length, 1);
    }
    return text;
  }

 private:
  bool IsBeginning(const std::string& bytes) const {
    const auto next = std::lower_bound(characters_.begin(), characters_.end(), bytes);
    return next != characters_.end() && next->compare(0, bytes.size(), bytes) == 0;
  }

  std::vector<std::string> characters_;
};

TEST(TextStream, PassesAsciiThroughAtOnce) {
  TextStream stream;
  EXPECT_EQ(stream.Push("Hello"), "Hello");
  EXPECT_EQ(stream.Push(""), "");
  EXPECT_EQ(stream.Push(std::string(1, '\0')), std::string(1, '\0'));
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, HoldsACharacterUntilItsLastByte) {
  TextStream stream;
  EXPECT_EQ(stream.Push("a\xF0"), "a");
  EXPECT_EQ(stream.Push("\x9F\x98"), "");
  EXPECT_EQ(stream.Push("\x80z"), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(TextStream, ReplacesACharacterThatNeverEnds) {
  TextStream stream;
  EXPECT_EQ(stream.Push("a\xE2\x82"), "a");
  EXPECT_EQ(stream.Finish(), kBad);
  EXPECT_EQ(stream.Finish(), "");
  EXPECT_EQ(stream.Push("b"), "b");
}

TEST(TextStream, GivesUpOnACharacterAsSoonAsAByteCannotContinueIt) {
  TextStream stream;
  EXPECT_EQ(stream.Push("\xE2\x82"), "");
  EXPECT_EQ(stream.Push("a"), kBad + "a");
}

TEST(TextStream, ReplacesEachMaximalSubpartOnce) {
  // Unicode 15, section 3.9, tables 3-8 to 3-11.
  EXPECT_EQ(Decode("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            kBad + kBad + kBad + kBad + kBad + kBad + kBad + kBad + "A");
  EXPECT_EQ(Decode("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            kBad + kBad + kBad + kBad + kBad + kBad + kBad + kBad + "A");
  EXPECT_EQ(Decode("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), kBad + kBad + kBad + kBad + kBad + "A" + kBad + kBad + "B");
  EXPECT_EQ(Decode("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), kBad + kBad + kBad + kBad + "A");
}

TEST(TextStream, KeepsTheFirstAndTheLastCharacterOfEachLength) {
  for (const char* character : {"\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Decode(character), character);
  }
}

TEST(TextStream, AgreesWithANaiveDecoderHoweverTheBytesAreCut) {
  const NaiveDecoder naive;
  // Bytes that begin, continue and break characters, more often than chance would.
  const std::string alphabet = "aZ\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF1\xF4\xF5\xFF";
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 12, ' ');
    for (char& byte : bytes) byte = alphabet[random() % alphabet.size()];
    TextStream stream;
    std::string text;
    for (size_t begin = 0; begin < bytes.size();) {
      const size_t length = 1 + random() % 4;
      text += stream.Push(std::string_view(bytes).substr(begin, length));
      begin += length;
    }
    text += stream.Finish();
    ASSERT_EQ(text, naive.Decode(bytes)) << "round " << round;
  }
}

}  // namespace
}  // namespace winnow
