#pragma once

#include <cstdint>

#include "kernels/packing.h"

namespace winnow::kernels {

// 32 consecutive weights of a column: scale[i / 16] · (bits[i] − the format's offset) + minimum.
struct QuantBlock {
  uint8_t bits[kBlockSize];
  float scale[2];
  float minimum;
};

// Bytes of one column of `k` values in a GGUF file.
int64_t ColumnBytes(WeightType type, int64_t k);

// Reads block `index` of a column of a quantized type.
QuantBlock ReadBlock(WeightType type, const uint8_t* column, int64_t index);

}  // namespace winnow::kernels
