#pragma once

#include <cstddef>

#include "base/span.h"

// Passes over rows of logits, vectorised. All instruction sets give the same bits: sums have one order, and nothing is
// contracted into fused operations. NaN counts as −infinity everywhere.
namespace winnow::vector_math {

// Rows are read in blocks of this many values; the last one may be shorter.
constexpr size_t kBlockSize = 64;
constexpr size_t NumBlocks(size_t size) { return (size + kBlockSize - 1) / kBlockSize; }

// The largest value; −infinity if there is none.
float Max(Span<const float> values);

// Writes the largest value of each block to `maxima`, [NumBlocks]. Returns whether a value is NaN.
bool BlockMaxima(Span<const float> values, float* maxima);

// Index of the first value that equals `value`; values.size() if none does.
size_t FindFirst(Span<const float> values, float value);

// exp((value − shift) · scale) in float32, relative error below 2e-7. `shift`: not smaller than any value.
// `scale`: positive. Results below exp(−87) are 0.
void Exp(Span<const float> values, float shift, float scale, float* out);

// The sum of the same exponentials in float64. Writes the sum of each block to `block_sums`, [NumBlocks], unless null;
// the result is their sum in order.
double SumExp(Span<const float> values, float shift, float scale, double* block_sums = nullptr);

}  // namespace winnow::vector_math
