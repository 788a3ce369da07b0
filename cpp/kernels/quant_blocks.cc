#include "kernels/quant_blocks.h"

#include <cmath>

#include "kernels/half.h"

// GGUF's block types, read as ggml's block structs lay them out.
namespace winnow::kernels {
namespace {

constexpr int kSuperBlocks = 8;  // Blocks in a super-block of the K types.

float HalfAt(const uint8_t* bytes) {
  const float value = FloatOfHalf(static_cast<uint16_t>(bytes[0] | bytes[1] << 8));
  return std::isfinite(value) ? value : 0.0f;  // A damaged file: no number may become undefined behaviour.
}

// 16 bytes: the low halves are values 0 … 15, the high halves values 16 … 31.
void ReadNibbles(const uint8_t* nibbles, QuantBlock* block) {
  for (int i = 0; i < 16; ++i) {
    block->bits[i] = nibbles[i] & 15;
    block->bits[i + 16] = nibbles[i] >> 4;
  }
}

// 4 bytes: the fifth bit of value i is bit i.
void AddFifthBits(const uint8_t* high, QuantBlock* block) {
  for (int i = 0; i < kBlockSize; ++i) block->bits[i] |= (high[i / 8] >> i % 8 & 1) << 4;
}

void SetScale(float scale, QuantBlock* block) { block->scale[0] = block->scale[1] = scale; }

QuantBlock ReadQ4(const uint8_t* bytes, bool has_minimum) {
  QuantBlock block{};
  SetScale(HalfAt(bytes), &block);
  if (has_minimum) block.minimum = HalfAt(bytes + 2);
  ReadNibbles(bytes + (has_minimum ? 4 : 2), &block);
  return block;
}

QuantBlock ReadQ5(const uint8_t* bytes, bool has_minimum) {
  QuantBlock block{};
  SetScale(HalfAt(bytes), &block);
  // With the offset of 16 that the format subtracts, Q5_1's minimum moves up.
  if (has_minimum) block.minimum = HalfAt(bytes + 2) + 16 * block.scale[0];
  const uint8_t* high = bytes + (has_minimum ? 4 : 2);
  ReadNibbles(high + 4, &block);
  AddFifthBits(high, &block);
  return block;
}

QuantBlock ReadQ8(const uint8_t* bytes) {
  QuantBlock block{};
  SetScale(HalfAt(bytes), &block);
  for (int i = 0; i < kBlockSize; ++i) block.bits[i] = static_cast<uint8_t>(bytes[2 + i] + 128);
  return block;
}

// Six-bit scale and minimum of block `j` of a super-block, from its 12 bytes.
void ReadScaleAndMinimum(const uint8_t* packed, int j, int* scale, int* minimum) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *minimum = packed[j + 4] & 63;
  } else {
    *scale = (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
    *minimum = packed[j + 4] >> 4 | packed[j] >> 6 << 4;
  }
}

// Block `j` of a super-block of Q4_K (no `fifth_bits`) or Q5_K.
QuantBlock ReadK(const uint8_t* super_block, int j, const uint8_t* fifth_bits, const uint8_t* nibbles) {
  int scale, minimum;
  ReadScaleAndMinimum(super_block + 4, j, &scale, &minimum);
  QuantBlock block{};
  SetScale(HalfAt(super_block) * scale, &block);
  block.minimum = -HalfAt(super_block + 2) * minimum;
  if (fifth_bits != nullptr) block.minimum += 16 * block.scale[0];
  for (int i = 0; i < kBlockSize; ++i) {
    const uint8_t byte = nibbles[j / 2 * 32 + i];
    block.bits[i] = j % 2 == 0 ? byte & 15 : byte >> 4;
    if (fifth_bits != nullptr) block.bits[i] |= (fifth_bits[i] >> j & 1) << 4;
  }
  return block;
}

// Block `j` of a super-block of Q6_K: 128 bytes of nibbles, 64 of upper bits, 16 scales, the super-block's scale.
QuantBlock ReadQ6K(const uint8_t* super_block, int j) {
  const int half = j / 4, quarter = j % 4;
  const uint8_t* nibbles = super_block + 64 * half + 32 * (quarter & 1);
  const uint8_t* upper = super_block + 128 + 32 * half;
  const int8_t* scales = reinterpret_cast<const int8_t*>(super_block + 192) + 8 * half + 2 * quarter;
  QuantBlock block{};
  for (int i = 0; i < 2; ++i) block.scale[i] = HalfAt(super_block + 208) * scales[i];
  for (int i = 0; i < kBlockSize; ++i) {
    const int low = quarter < 2 ? nibbles[i] & 15 : nibbles[i] >> 4;
    block.bits[i] = static_cast<uint8_t>(low | (upper[i] >> 2 * quarter & 3) << 4);
  }
  return block;
}

// Bytes of a block, or of a super-block of 256 for the K types.
int UnitBytes(WeightType type) {
  switch (type) {
    case WeightType::kQ4_0:
      return 18;
    case WeightType::kQ4_1:
      return 20;
    case WeightType::kQ5_0:
      return 22;
    case WeightType::kQ5_1:
      return 24;
    case WeightType::kQ8_0:
      return 34;
    case WeightType::kQ4_K:
      return 144;
    case WeightType::kQ5_K:
      return 176;
    case WeightType::kQ6_K:
      return 210;
    case WeightType::kF32:
      return 4 * kBlockSize;
    default:
      return 2 * kBlockSize;
  }
}

bool IsSuper(WeightType type) { return type >= WeightType::kQ4_K && type <= WeightType::kQ6_K; }

}  // namespace

int64_t ColumnBytes(WeightType type, int64_t k) {
  if (IsFloat(type)) return k * (type == WeightType::kF32 ? 4 : 2);
  return k / (IsSuper(type) ? kSuperBlocks * kBlockSize : kBlockSize) * UnitBytes(type);
}

QuantBlock ReadBlock(WeightType type, const uint8_t* column, int64_t index) {
  const uint8_t* unit = column + (IsSuper(type) ? index / kSuperBlocks : index) * UnitBytes(type);
  const int j = static_cast<int>(index % kSuperBlocks);
  switch (type) {
    case WeightType::kQ4_0:
    case WeightType::kQ4_1:
      return ReadQ4(unit, type == WeightType::kQ4_1);
    case WeightType::kQ5_0:
    case WeightType::kQ5_1:
      return ReadQ5(unit, type == WeightType::kQ5_1);
    case WeightType::kQ4_K:
      return ReadK(unit, j, nullptr, unit + 16);
    case WeightType::kQ5_K:
      return ReadK(unit, j, unit + 16, unit + 48);
    case WeightType::kQ6_K:
      return ReadQ6K(unit, j);
    default:
      return ReadQ8(unit);
  }
}

}  // namespace winnow::kernels
