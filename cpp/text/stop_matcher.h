#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace winnow {

// Finds stop strings in streamed text, also across pieces. Text that may still turn out to be the beginning of a stop
// string is held back. The match that is complete first wins, since nothing need be generated after it; of several that
// end at one place the longest. So the result does not depend on where the pieces are cut.
class StopMatcher {
 public:
  // `stops`: non-empty strings; no strings = everything passes through.
  explicit StopMatcher(std::vector<std::string> stops);

  struct Result {
    std::string text;         // What may be shown now, without the stop string.
    std::optional<int> stop;  // Index of the stop string that was found; nothing after it is shown.
  };
  // Precondition: no stop string was found yet.
  Result Push(std::string_view text);
  // Returns what was held back, at the end of the text.
  std::string Finish();

 private:
  std::optional<int> LongestEndingAt(std::string_view text) const;
  size_t HeldLength(std::string_view text) const;

  std::vector<std::string> stops_;
  std::string held_;  // The longest end of the text that begins a stop string.
};

}  // namespace winnow
