#include "grammar/token_table.h"

#include <algorithm>

namespace winnow {
namespace {

int CommonLength(Span<const uint8_t> a, Span<const uint8_t> b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t length = 0;
  while (length < limit && a[length] == b[length]) ++length;
  return static_cast<int>(length);
}

}  // namespace

TokenTable::TokenTable(int vocabulary_size, const std::function<std::string(Token)>& bytes_of) {
  begins_.push_back(0);
  for (Token token = 0; token < vocabulary_size; ++token) {
    const std::string bytes = bytes_of(token);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    begins_.push_back(bytes_.size());
    if (!bytes.empty()) sorted_.push_back(token);
  }
  std::sort(sorted_.begin(), sorted_.end(), [this](Token a, Token b) {
    const Span<const uint8_t> left = BytesOf(a);
    const Span<const uint8_t> right = BytesOf(b);
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
  });
  for (size_t i = 0; i < sorted_.size(); ++i) {
    common_.push_back(i == 0 ? 0 : CommonLength(BytesOf(sorted_[i - 1]), BytesOf(sorted_[i])));
  }
}

}  // namespace winnow
