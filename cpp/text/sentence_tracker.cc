#include "text/sentence_tracker.h"

#include <algorithm>

namespace winnow {
namespace {

constexpr std::string_view kEnds[] = {".", "?", "!", "\u2026", "\u3002", "\uFF1F", "\uFF01"};
constexpr std::string_view kClosers[] = {" ",      "\t",     "\n",     "\r",     "\"",     "'",
                                         ")",      "]",      "}",      "*",      "\u201D", "\u2019",
                                         "\u00BB", "\u300D", "\u300F", "\uFF09", "\u3000", "\u00A0"};

template <size_t size>
bool Contains(const std::string_view (&list)[size], std::string_view character) {
  return std::find(list, list + size, character) != list + size;
}

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Bytes that its first one promises; 1 where it promises nothing.
size_t LengthOf(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

// FF, say, or more continuation bytes than anything promised.
bool IsNoCharacter(const std::string& bytes) {
  return static_cast<unsigned char>(bytes.front()) >= 0xF8 || bytes.size() > LengthOf(bytes.front());
}

}  // namespace

void SentenceTracker::Push(std::string_view bytes) {
  const bool was_at_end = is_at_end_;
  for (char byte : bytes) {
    if (!IsContinuation(byte)) character_.clear();
    character_ += byte;
    if (character_.size() == LengthOf(character_.front())) PushCharacter();
    if (IsNoCharacter(character_)) is_at_end_ = false;
  }
  has_just_ended_ = is_at_end_ && !was_at_end;
}

void SentenceTracker::PushCharacter() {
  if (Contains(kEnds, character_)) {
    is_at_end_ = true;
  } else if (!Contains(kClosers, character_)) {
    is_at_end_ = false;
  }
}

}  // namespace winnow
