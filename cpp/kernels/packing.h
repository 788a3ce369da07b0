#pragma once

#include <cstddef>
#include <cstdint>

// How weights lie in memory for the products of gemm.h. A matrix of N columns (output features) and K rows (input
// features) is cut into tiles of 16 columns; the last one is filled up with zeros.
//
// Quantized weights: a tile is a row of blocks of 32 k. A block holds, for its 16 columns, integer scales in units of a
// power of two that belongs to the column, minima where the type has them, and the values' bits, lowest four first.
// Four neighbouring k of a column make a 32-bit lane, 16 lanes a line of 64 bytes: what a vector instruction that
// multiplies bytes takes. The columns' units follow behind all tiles.
//
// Floating-point weights: a tile is K rows of 16 values in their own type.
namespace winnow::kernels {

constexpr int kTileColumns = 16;
constexpr int kBlockSize = 32;  // Values of k that share a scale.

enum class WeightType { kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ4_K, kQ5_K, kQ6_K, kF16, kBF16, kF32 };

constexpr bool IsFloat(WeightType type) { return type >= WeightType::kF16; }

// A block of quantized weights. A weight is scale · (bits − Offset) + minimum.
// HighBits: bits above the lowest four, 0 … 2. Planes: 2 = eight bits, as two times four. Groups: scales per column, 1
// or 2 (one for each 16 k). Minimum: whether columns have one.
template <int HighBits, int Planes, int Groups, int Offset, bool Minimum>
struct BlockFormat {
  static constexpr int kHighBits = HighBits;
  static constexpr int kPlanes = Planes;
  static constexpr int kGroups = Groups;
  static constexpr bool kHasMinimum = Minimum;
  // What is subtracted from the bits of one plane; the upper plane counts sixteens.
  static constexpr int OffsetOf(int plane) { return Planes == 1 ? Offset : plane == 1 ? Offset / 16 : 0; }

  // Byte offsets. Scales: int16[Groups][16]; minima: float16[16], in units of 1024 column units; nibbles:
  // uint8[Planes][4][64], line i holds k 8i … 8i + 3 in its low and 8i + 4 … 8i + 7 in its high halves; high bits: see
  // HighBitsShift.
  static constexpr size_t kMinima = Groups * 2 * kTileColumns;
  static constexpr size_t kNibbles = kMinima + (Minimum ? 2 * kTileColumns : 0);
  static constexpr size_t kHigh = kNibbles + Planes * 256;
  static constexpr size_t kBytes = kHigh + HighBits * 64;
};

using Nibbles = BlockFormat<0, 1, 1, 8, false>;              // Q4_0
using NibblesWithMinimum = BlockFormat<0, 1, 1, 0, true>;    // Q4_1, Q4_K
using FiveBits = BlockFormat<1, 1, 1, 16, false>;            // Q5_0
using FiveBitsWithMinimum = BlockFormat<1, 1, 1, 16, true>;  // Q5_1, Q5_K
using SixBits = BlockFormat<2, 1, 2, 32, false>;             // Q6_K
using EightBits = BlockFormat<0, 2, 1, 128, false>;          // Q8_0

// The line and the bit of that line's bytes where the high bits of k-group g (k 4g … 4g + 3) begin.
template <class Format>
constexpr int HighLine(int g) {
  return Format::kHighBits == 2 ? g / 4 : 0;
}
template <class Format>
constexpr int HighBit(int g) {
  return Format::kHighBits == 2 ? g % 4 * 2 : g;
}

// Calls `use` with the format that stores the type.
template <class Use>
auto WithFormat(WeightType type, Use&& use) {
  switch (type) {
    case WeightType::kQ4_0:
      return use(Nibbles());
    case WeightType::kQ4_1:
    case WeightType::kQ4_K:
      return use(NibblesWithMinimum());
    case WeightType::kQ5_0:
      return use(FiveBits());
    case WeightType::kQ5_1:
    case WeightType::kQ5_K:
      return use(FiveBitsWithMinimum());
    case WeightType::kQ6_K:
      return use(SixBits());
    default:
      return use(EightBits());
  }
}

constexpr int64_t NumTiles(int64_t columns) { return (columns + kTileColumns - 1) / kTileColumns; }

// Bytes of one tile with `k` rows.
size_t TileBytes(WeightType type, int64_t k);
// Bytes of a whole matrix.
size_t PackedBytes(WeightType type, int64_t k, int64_t columns);
// Whether a matrix with this many rows can be packed: quantized types need whole blocks.
bool CanPack(WeightType type, int64_t k);
// float32[NumTiles · 16], behind the tiles of a quantized matrix.
const float* ColumnUnits(WeightType type, const void* packed, int64_t k, int64_t columns);

// Packs the tiles [first, last) of a matrix that GGUF stores as `columns` rows of `k` values. Different tiles may be
// packed by different threads.
void PackTiles(WeightType type, const void* data, int64_t k, int64_t columns, int64_t first, int64_t last,
               void* packed);

// float32[k]: one column of a packed matrix, as an embedding is read.
void UnpackColumn(WeightType type, const void* packed, int64_t k, int64_t columns, int64_t column, float* out);

}  // namespace winnow::kernels
