#include "sampler/row_index.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/vector_math.h"

namespace winnow {

using vector_math::kBlockSize;

void RowIndex::Build(Span<const float> row) {
  row_ = row;
  maxima_.resize(vector_math::NumBlocks(row.size()));
  has_nan_ = vector_math::BlockMaxima(row, maxima_.data());
  max_ = vector_math::Max(maxima_);
}

Token RowIndex::ArgMax() const {
  const size_t begin = vector_math::FindFirst(maxima_, max_) * kBlockSize;
  return static_cast<Token>(begin + vector_math::FindFirst(row_.Subspan(begin), max_));
}

float RowIndex::ThresholdFor(size_t count) {
  if (count == 0 || maxima_.size() < count) return -std::numeric_limits<float>::infinity();
  selection_ = maxima_;
  const auto nth = selection_.begin() + (count - 1);
  std::nth_element(selection_.begin(), nth, selection_.end(), std::greater<float>());
  return *nth;
}

size_t RowIndex::Collect(float threshold, Token* tokens, float* logits) const {
  const float* row = row_.data();
  size_t count = 0;
  for (size_t block = 0; block < maxima_.size(); ++block) {
    if (maxima_[block] < threshold) continue;
    const size_t end = std::min((block + 1) * kBlockSize, row_.size());
    for (size_t i = block * kBlockSize; i < end; ++i) {  // Without a branch: which logits pass can't be predicted.
      tokens[count] = static_cast<Token>(i);
      logits[count] = row[i];
      count += row[i] >= threshold;
    }
  }
  return count;
}

}  // namespace winnow
