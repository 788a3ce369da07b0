#pragma once

#include <vector>

#include "base/types.h"
#include "sampler/row_index.h"

namespace winnow {

// Unnormalised probabilities of a whole row, exp((logit − max) · scale), as the sums of its blocks: no weight is kept.
class RowWeights {
 public:
  // The row must stay where it is until the last Draw. Precondition: its maximum is finite.
  void Build(const RowIndex& index, float scale);
  void Clear() { scale_ = 0; }

  float scale() const { return scale_; }  // 0 = nothing is built.
  double total() const { return total_; }
  // Inverse of the distribution function in the order of ids. `uniform`: in [0, 1).
  Token Draw(double uniform) const;

 private:
  // `rest`: the target, less the weight of all blocks before.
  Token DrawFromBlock(size_t block, double rest) const;

  Span<const float> row_;
  float max_ = 0;
  float scale_ = 0;
  double total_ = 0;
  std::vector<double> block_sums_;
};

}  // namespace winnow
