#pragma once

#include <string>
#include <string_view>

namespace winnow {

// Says where a text ends like a sentence: behind one of . ? ! … 。 ？ ！ and whatever white space, closing quotes and
// brackets follow it. Abbreviations and decimal points look like ends; whoever asks must be able to live with that.
class SentenceTracker {
 public:
  // `bytes`: of one token, maybe a part of a character.
  void Push(std::string_view bytes);

  bool is_at_end() const { return is_at_end_; }
  // The last Push made it so.
  bool has_just_ended() const { return has_just_ended_; }

 private:
  void PushCharacter();

  std::string character_;  // Its bytes so far.
  bool is_at_end_ = false;
  bool has_just_ended_ = false;
};

}  // namespace winnow
