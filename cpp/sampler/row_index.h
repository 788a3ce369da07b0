#pragma once

#include <vector>

#include "base/span.h"
#include "base/types.h"

namespace winnow {

// A row of logits with the largest logit of every block, made in one pass: whoever looks for large logits then skips
// nearly all blocks. Reused from row to row; the row must stay where it is meanwhile.
class RowIndex {
 public:
  void Build(Span<const float> row);

  Span<const float> row() const { return row_; }
  bool has_nan() const { return has_nan_; }
  float max() const { return max_; }  // −infinity if no logit is larger.
  // The lowest id among the largest logits. Precondition: max() is finite.
  Token ArgMax() const;

  // A threshold that at least `count` logits reach, and few more: the count-th largest of the blocks' maxima, each of
  // which is a logit of its own. −infinity if there are fewer blocks.
  float ThresholdFor(size_t count);

  // Writes the tokens whose logits reach `threshold`, in the order of their ids; returns how many. Room for the
  // whole row is needed.
  size_t Collect(float threshold, Token* tokens, float* logits) const;

 private:
  Span<const float> row_;
  std::vector<float> maxima_;
  std::vector<float> selection_;  // Scratch.
  float max_ = 0;
  bool has_nan_ = false;
};

}  // namespace winnow
