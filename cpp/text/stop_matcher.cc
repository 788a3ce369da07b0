#include "text/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace winnow {
namespace {

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

StopMatcher::StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

StopMatcher::Result StopMatcher::Push(std::string_view text) {
  const size_t num_searched = held_.size();  // No match ends in here, or it would have been found before.
  held_ += text;
  for (size_t end = num_searched + 1; end <= held_.size(); ++end) {
    const std::string_view seen = std::string_view(held_).substr(0, end);
    if (const std::optional<int> stop = LongestEndingAt(seen)) {
      std::string shown = held_.substr(0, end - stops_[*stop].size());
      held_.clear();
      return {std::move(shown), stop};
    }
  }
  const size_t num_shown = held_.size() - HeldLength(held_);
  std::string shown = held_.substr(0, num_shown);
  held_.erase(0, num_shown);
  return {std::move(shown), std::nullopt};
}

std::string StopMatcher::Finish() { return std::exchange(held_, {}); }

std::optional<int> StopMatcher::LongestEndingAt(std::string_view text) const {
  std::optional<int> longest;
  for (size_t i = 0; i < stops_.size(); ++i) {
    const bool is_longer = !longest || stops_[i].size() > stops_[*longest].size();
    if (is_longer && EndsWith(text, stops_[i])) longest = static_cast<int>(i);
  }
  return longest;
}

size_t StopMatcher::HeldLength(std::string_view text) const {
  size_t held = 0;
  for (const std::string& stop : stops_) {
    for (size_t length = std::min(stop.size() - 1, text.size()); length > held; --length) {
      if (EndsWith(text, std::string_view(stop).substr(0, length))) held = length;
    }
  }
  return held;
}

}  // namespace winnow
