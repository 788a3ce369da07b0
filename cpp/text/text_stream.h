#pragma once

#include <string>
#include <string_view>

namespace winnow {

// Turns the bytes of tokens into valid UTF-8: a character that is still incomplete waits for its remaining bytes;
// bytes that can never become one turn into U+FFFD (one per maximal ill-formed subpart, Unicode 15, section 3.9).
class TextStream {
 public:
  // Returns the text that is complete now.
  std::string Push(std::string_view bytes);
  // Returns what is left at the end of the text: U+FFFD for an incomplete character, else nothing.
  std::string Finish();

 private:
  std::string pending_;
};

}  // namespace winnow
