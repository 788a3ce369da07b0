#include "text/text_stream.h"

#include <algorithm>

namespace winnow {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What a lead byte promises. The range of the second byte excludes overlong forms, surrogates and what is above
// U+10FFFF (Unicode 15, table 3-7); all later bytes are 80 … BF.
struct Lead {
  size_t length = 0;  // Of the character, bytes; 0 = no character begins like this.
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// Length of the longest beginning of `text` that is a character or the beginning of one.
size_t WellFormedLength(std::string_view text, Lead lead) {
  if (lead.length < 2 || text.size() < 2) return std::min<size_t>(lead.length, 1);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(1) < lead.second_min || byte(1) > lead.second_max) return 1;
  size_t length = 2;
  while (length < lead.length && length < text.size() && (byte(length) & 0xC0) == 0x80) ++length;
  return length;
}

}  // namespace

std::string TextStream::Push(std::string_view bytes) {
  pending_ += bytes;
  std::string text;
  text.reserve(pending_.size());
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Lead lead = LeadOf(static_cast<unsigned char>(rest[0]));
    const size_t length = WellFormedLength(rest, lead);
    const bool is_complete = length > 0 && length == lead.length;
    if (length > 0 && !is_complete && length == rest.size()) break;  // More bytes may complete it.
    text += is_complete ? rest.substr(0, length) : kReplacement;
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

std::string TextStream::Finish() {
  const bool is_incomplete = !pending_.empty();
  pending_.clear();
  return std::string(is_incomplete ? kReplacement : "");
}

}  // namespace winnow
