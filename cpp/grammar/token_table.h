#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/types.h"

namespace winnow {

// The bytes of every token of a vocabulary, also in their alphabetical order, so that a walk through all of them reads
// each common beginning once. Immutable.
class TokenTable {
 public:
  // `bytes_of`: what a token adds to the text; empty for tokens that add nothing, which no grammar can allow.
  TokenTable(int vocabulary_size, const std::function<std::string(Token)>& bytes_of);

  Span<const uint8_t> BytesOf(Token token) const {
    return Span<const uint8_t>(bytes_).Subspan(begins_[token], begins_[token + 1] - begins_[token]);
  }
  int size() const { return static_cast<int>(begins_.size()) - 1; }
  // Tokens that add something, in alphabetical order.
  Span<const Token> sorted() const { return sorted_; }
  // [sorted]: how many bytes each has in common with the one before it.
  Span<const int> common() const { return common_; }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<size_t> begins_;  // [vocabulary + 1]
  std::vector<Token> sorted_;
  std::vector<int> common_;
};

}  // namespace winnow
