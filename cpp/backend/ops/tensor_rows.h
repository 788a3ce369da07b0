#pragma once

#include <algorithm>

#include "ggml.h"
#include "kernels/kernels.h"

namespace winnow {

// Row `index` of a tensor whose rows are counted through all its dimensions.
inline const float* RowOf(const ggml_tensor* tensor, int64_t index) {
  const int64_t i1 = index % tensor->ne[1], i2 = index / tensor->ne[1] % tensor->ne[2];
  const int64_t i3 = index / (tensor->ne[1] * tensor->ne[2]);
  return reinterpret_cast<const float*>(static_cast<const char*>(tensor->data) + i1 * tensor->nb[1] +
                                        i2 * tensor->nb[2] + i3 * tensor->nb[3]);
}

// Quantizes the rows [first, last) of float32 activations, `first` at the beginning of a group.
inline void QuantizeRows(const kernels::Kernels& kernels, const ggml_tensor* x, int64_t first, int64_t last,
                         kernels::ActivationBlock* groups) {
  const int64_t num_blocks = x->ne[0] / kernels::kBlockSize;
  for (int64_t row = first; row < last; ++row) {
    kernels.quantize_row(RowOf(x, row), x->ne[0], static_cast<int>(row % kernels::kGroupRows),
                         groups + row / kernels::kGroupRows * num_blocks);
  }
}

// This thread's share of all rows, whole groups at a time.
template <class Thread>
void QuantizeGroups(const kernels::Kernels& kernels, const Thread& thread, const ggml_tensor* x,
                    kernels::ActivationBlock* groups) {
  const int64_t rows = ggml_nrows(x);
  for (int64_t first = thread.index * kernels::kGroupRows; first < rows; first += thread.count * kernels::kGroupRows) {
    QuantizeRows(kernels, x, first, std::min<int64_t>(first + kernels::kGroupRows, rows), groups);
  }
}

}  // namespace winnow
