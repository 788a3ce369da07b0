#pragma once

#include <memory>
#include <vector>

#include "base/span.h"
#include "base/token_filter.h"
#include "base/types.h"
#include "grammar/recognizer.h"
#include "grammar/token_table.h"

namespace winnow {

// Which tokens keep one text inside a grammar. A token is allowed if the text with its bytes is the beginning of
// something that the grammar matches; an end token, if the text matches as it is.
class GrammarFilter : public TokenFilter {
 public:
  GrammarFilter(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTable> table,
                Span<const Token> end_tokens);

  bool Allows(Token token) override;
  void Mask(Span<float> logits) override;
  // Appends the token to the text. Precondition: it is allowed and no end token.
  void Accept(Token token);

  // The text is whole as it is.
  bool is_complete() const { return recognizer_.is_complete(); }
  // The text is whole and nothing can follow.
  bool is_finished() const { return recognizer_.is_complete() && !recognizer_.can_continue(); }

 private:
  // Of the recogniser, for one Mask; what it does not get to is not allowed. Only grammars made for it take so much.
  static constexpr uint64_t kMaxMaskSteps = 50'000'000;

  bool IsEnd(Token token) const;
  bool Push(Span<const uint8_t> bytes);

  Recognizer recognizer_;
  std::shared_ptr<const TokenTable> table_;
  std::vector<Token> end_tokens_;
  std::vector<bool> is_allowed_;  // Scratch of Mask.
};

}  // namespace winnow
