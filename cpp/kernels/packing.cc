#include "kernels/packing.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/half.h"
#include "kernels/quant_blocks.h"

namespace winnow::kernels {
namespace {

constexpr float kMinimumUnit = 1024.0f;  // Keeps the minima within float16.

size_t FloatSize(WeightType type) { return type == WeightType::kF32 ? 4 : 2; }

// The power of two in which a column's scales are counted, so that the largest one fits into 15 bits and the minima
// into float16.
float UnitOf(const std::vector<QuantBlock>& column) {
  float top = 0;
  for (const QuantBlock& block : column) {
    top = std::max({top, std::fabs(block.scale[0]) / 32767, std::fabs(block.scale[1]) / 32767,
                    std::fabs(block.minimum) / (kMinimumUnit * 65504)});
  }
  if (top == 0) return 1.0f;
  int exponent;
  const float fraction = std::frexp(top, &exponent);  // top = fraction · 2^exponent, fraction in [0.5, 1).
  return std::ldexp(1.0f, fraction == 0.5f ? exponent - 1 : exponent);
}

template <class Format>
void PutBits(const QuantBlock& block, int column, uint8_t* packed) {
  for (int k = 0; k < kBlockSize; ++k) {
    const int g = k / 4, byte = column * 4 + k % 4;
    for (int plane = 0; plane < Format::kPlanes; ++plane) {
      const int nibble = block.bits[k] >> 4 * plane & 15;
      packed[Format::kNibbles + plane * 256 + g / 2 * 64 + byte] |= static_cast<uint8_t>(nibble << g % 2 * 4);
    }
    if constexpr (Format::kHighBits > 0) {
      packed[Format::kHigh + HighLine<Format>(g) * 64 + byte] |=
          static_cast<uint8_t>(block.bits[k] >> 4 << HighBit<Format>(g));
    }
  }
}

template <class Format>
void PutBlock(const QuantBlock& block, float unit, int column, uint8_t* packed) {
  for (int group = 0; group < Format::kGroups; ++group) {
    const auto scale = static_cast<int16_t>(std::lrintf(block.scale[group] / unit));
    std::memcpy(packed + (group * kTileColumns + column) * 2, &scale, 2);
  }
  if constexpr (Format::kHasMinimum) {
    const uint16_t minimum = HalfOfFloat(block.minimum / unit / kMinimumUnit);
    std::memcpy(packed + Format::kMinima + column * 2, &minimum, 2);
  }
  PutBits<Format>(block, column, packed);
}

template <class Format>
void PackTile(WeightType type, const uint8_t* data, int64_t k, int64_t count, uint8_t* tile, float* units) {
  const int64_t num_blocks = k / kBlockSize;
  std::memset(tile, 0, num_blocks * Format::kBytes);
  std::fill(units, units + kTileColumns, 1.0f);
  std::vector<QuantBlock> column(num_blocks);
  for (int c = 0; c < count; ++c) {
    for (int64_t b = 0; b < num_blocks; ++b) column[b] = ReadBlock(type, data + c * ColumnBytes(type, k), b);
    units[c] = UnitOf(column);
    for (int64_t b = 0; b < num_blocks; ++b) PutBlock<Format>(column[b], units[c], c, tile + b * Format::kBytes);
  }
}

void PackFloatTile(const uint8_t* data, size_t size, int64_t k, int64_t count, uint8_t* tile) {
  std::memset(tile, 0, k * kTileColumns * size);
  for (int64_t c = 0; c < count; ++c) {
    for (int64_t i = 0; i < k; ++i) {
      std::memcpy(tile + (i * kTileColumns + c) * size, data + (c * k + i) * size, size);
    }
  }
}

float* Units(WeightType type, void* packed, int64_t k, int64_t columns) {
  return reinterpret_cast<float*>(static_cast<uint8_t*>(packed) + NumTiles(columns) * TileBytes(type, k));
}

template <class Format>
void UnpackBlock(const uint8_t* packed, float unit, int column, float* out) {
  for (int k = 0; k < kBlockSize; ++k) {
    const int g = k / 4, byte = column * 4 + k % 4;
    int value = 0;
    for (int plane = 0; plane < Format::kPlanes; ++plane) {
      const int nibble = packed[Format::kNibbles + plane * 256 + g / 2 * 64 + byte] >> g % 2 * 4 & 15;
      value += (nibble - Format::OffsetOf(plane)) * (plane == 1 ? 16 : 1);
    }
    if constexpr (Format::kHighBits > 0) {
      const int mask = (1 << Format::kHighBits) - 1;
      value += (packed[Format::kHigh + HighLine<Format>(g) * 64 + byte] >> HighBit<Format>(g) & mask) << 4;
    }
    int16_t scale;
    std::memcpy(&scale, packed + (k / (kBlockSize / Format::kGroups) * kTileColumns + column) * 2, 2);
    out[k] = static_cast<float>(scale) * unit * value;
    if constexpr (Format::kHasMinimum) {
      uint16_t minimum;
      std::memcpy(&minimum, packed + Format::kMinima + column * 2, 2);
      out[k] += FloatOfHalf(minimum) * kMinimumUnit * unit;
    }
  }
}

void UnpackFloatColumn(WeightType type, const uint8_t* tile, int64_t k, int column, float* out) {
  const size_t size = FloatSize(type);
  for (int64_t i = 0; i < k; ++i) {
    const uint8_t* value = tile + (i * kTileColumns + column) * size;
    uint16_t bits = 0;
    std::memcpy(type == WeightType::kF32 ? static_cast<void*>(out + i) : &bits, value, size);
    if (type == WeightType::kF16) out[i] = FloatOfHalf(bits);
    if (type == WeightType::kBF16) out[i] = FloatOfBrain(bits);
  }
}

}  // namespace

size_t TileBytes(WeightType type, int64_t k) {
  if (IsFloat(type)) return k * kTileColumns * FloatSize(type);
  return k / kBlockSize * WithFormat(type, [](auto format) { return decltype(format)::kBytes; });
}

size_t PackedBytes(WeightType type, int64_t k, int64_t columns) {
  const size_t tiles = NumTiles(columns) * TileBytes(type, k);
  return IsFloat(type) ? tiles : tiles + NumTiles(columns) * kTileColumns * sizeof(float);
}

bool CanPack(WeightType type, int64_t k) { return k > 0 && (IsFloat(type) || k % kBlockSize == 0); }

const float* ColumnUnits(WeightType type, const void* packed, int64_t k, int64_t columns) {
  return Units(type, const_cast<void*>(packed), k, columns);
}

void PackTiles(WeightType type, const void* data, int64_t k, int64_t columns, int64_t first, int64_t last,
               void* packed) {
  const size_t tile_bytes = TileBytes(type, k);
  for (int64_t t = first; t < last; ++t) {
    const uint8_t* source = static_cast<const uint8_t*>(data) + t * kTileColumns * ColumnBytes(type, k);
    uint8_t* tile = static_cast<uint8_t*>(packed) + t * tile_bytes;
    const int64_t count = std::min<int64_t>(kTileColumns, columns - t * kTileColumns);
    if (IsFloat(type)) {
      PackFloatTile(source, FloatSize(type), k, count, tile);
    } else {
      float* units = Units(type, packed, k, columns) + t * kTileColumns;
      WithFormat(type, [&](auto format) { PackTile<decltype(format)>(type, source, k, count, tile, units); });
    }
  }
}

void UnpackColumn(WeightType type, const void* packed, int64_t k, int64_t columns, int64_t column, float* out) {
  const int64_t t = column / kTileColumns;
  const int c = static_cast<int>(column % kTileColumns);
  const uint8_t* tile = static_cast<const uint8_t*>(packed) + t * TileBytes(type, k);
  if (IsFloat(type)) return UnpackFloatColumn(type, tile, k, c, out);
  const float unit = ColumnUnits(type, packed, k, columns)[column];
  WithFormat(type, [&](auto format) {
    using Format = decltype(format);
    for (int64_t b = 0; b < k / kBlockSize; ++b) UnpackBlock<Format>(tile + b * Format::kBytes, unit, c, out + b * 32);
  });
}

}  // namespace winnow::kernels
