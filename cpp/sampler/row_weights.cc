#include "sampler/row_weights.h"

#include <algorithm>
#include <limits>

#include "base/vector_math.h"

namespace winnow {
namespace {

using vector_math::kBlockSize;

// Index of the first weight that `rest` falls into; where rounding lets it pass them all, the last one that isn't 0.
// Takes what it passed off `rest`.
template <class Weight>
size_t IndexAt(Span<const Weight> weights, double* rest) {
  size_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (*rest < weights[i]) return i;
    *rest -= weights[i];
    if (weights[i] > 0) last = i;
  }
  *rest = std::numeric_limits<double>::infinity();
  return last;
}

}  // namespace

void RowWeights::Build(const RowIndex& index, float scale) {
  row_ = index.row();
  max_ = index.max();
  scale_ = scale;
  block_sums_.resize(vector_math::NumBlocks(row_.size()));
  total_ = vector_math::SumExp(row_, max_, scale_, block_sums_.data());
}

Token RowWeights::Draw(double uniform) const {
  double rest = uniform * total_;
  const size_t block = IndexAt(Span<const double>(block_sums_), &rest);
  return DrawFromBlock(block, rest);
}

Token RowWeights::DrawFromBlock(size_t block, double rest) const {
  const size_t begin = block * kBlockSize;
  float weights[kBlockSize];
  const size_t count = std::min(kBlockSize, row_.size() - begin);
  vector_math::Exp(row_.Subspan(begin, count), max_, scale_, weights);
  return static_cast<Token>(begin + IndexAt(Span<const float>(weights, count), &rest));
}

}  // namespace winnow
