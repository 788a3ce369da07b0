#include "grammar/grammar_filter.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace winnow {

GrammarFilter::GrammarFilter(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTable> table,
                             Span<const Token> end_tokens)
    : recognizer_(std::move(grammar)), table_(std::move(table)), end_tokens_(end_tokens.begin(), end_tokens.end()) {}

bool GrammarFilter::IsEnd(Token token) const {
  return std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end();
}

// Stops at the first byte that may not come; those before it stay.
bool GrammarFilter::Push(Span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [this](uint8_t byte) { return recognizer_.Push(byte); });
}

bool GrammarFilter::Allows(Token token) {
  if (IsEnd(token)) return recognizer_.is_complete();
  if (token < 0 || token >= table_->size() || table_->BytesOf(token).empty()) return false;
  const size_t length = recognizer_.length();
  const bool is_allowed = Push(table_->BytesOf(token));
  recognizer_.Truncate(length);
  return is_allowed;
}

void GrammarFilter::Accept(Token token) { Push(table_->BytesOf(token)); }

// In alphabetical order: the recogniser keeps what a token has in common with the one before, and behind a byte that
// may not come all tokens that share it are left out.
void GrammarFilter::Mask(Span<float> logits) {
  is_allowed_.assign(logits.size(), false);
  const size_t length = recognizer_.length();
  const uint64_t last_step = recognizer_.num_steps() + kMaxMaskSteps;
  size_t refused = std::numeric_limits<size_t>::max();  // Length of the beginning that ends in such a byte.
  for (size_t i = 0; i < table_->sorted().size() && recognizer_.num_steps() < last_step; ++i) {
    const auto common = static_cast<size_t>(table_->common()[i]);
    if (common >= refused) continue;
    recognizer_.Truncate(length + std::min(common, recognizer_.length() - length));
    const Token token = table_->sorted()[i];
    const Span<const uint8_t> bytes = table_->BytesOf(token);
    const bool is_allowed = Push(bytes.Subspan(recognizer_.length() - length));
    refused = is_allowed ? std::numeric_limits<size_t>::max() : recognizer_.length() - length + 1;
    if (static_cast<size_t>(token) < logits.size()) is_allowed_[token] = is_allowed;
  }
  recognizer_.Truncate(length);
  for (Token token : end_tokens_) {
    if (static_cast<size_t>(token) < logits.size()) is_allowed_[token] = recognizer_.is_complete();
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!is_allowed_[i]) logits[i] = -std::numeric_limits<float>::infinity();
  }
}

}  // namespace winnow
