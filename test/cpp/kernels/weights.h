#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/quant_blocks.h"

// Random matrices as a GGUF file stores them, and products in float64.
namespace winnow::kernels {

constexpr WeightType kQuantTypes[] = {WeightType::kQ4_0, WeightType::kQ4_1, WeightType::kQ5_0, WeightType::kQ5_1,
                                      WeightType::kQ8_0, WeightType::kQ4_K, WeightType::kQ5_K, WeightType::kQ6_K};
constexpr WeightType kFloatTypes[] = {WeightType::kF16, WeightType::kBF16, WeightType::kF32};

inline std::string NameOf(WeightType type) {
  static constexpr const char* kNames[] = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K",
                                           "Q5_K", "Q6_K", "F16",  "BF16", "F32"};
  return kNames[static_cast<int>(type)];
}

inline int BlockValues(WeightType type) {
  if (IsFloat(type)) return 1;
  return type >= WeightType::kQ4_K ? 256 : 32;
}

// Where a (super-)block keeps its half-precision scale, and its minimum or −1.
inline int ScaleAt(WeightType type) { return type == WeightType::kQ6_K ? 208 : 0; }
inline int MinimumAt(WeightType type) {
  const bool has_one =
      type == WeightType::kQ4_1 || type == WeightType::kQ5_1 || type == WeightType::kQ4_K || type == WeightType::kQ5_K;
  return has_one ? 2 : -1;
}

// Any bits, with scales of usual size. `extreme`: all bits set and all scales as large as they get.
inline std::vector<uint8_t> RandomWeights(WeightType type, int64_t k, int64_t columns, uint32_t seed,
                                          bool extreme = false) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> scale(0.001f, 0.02f);
  const int64_t unit = ColumnBytes(type, BlockValues(type));
  std::vector<uint8_t> bytes(columns * ColumnBytes(type, k));
  for (uint8_t& byte : bytes) byte = extreme ? 0xff : static_cast<uint8_t>(random());
  for (size_t at = 0; at < bytes.size(); at += unit) {
    if (type == WeightType::kF32) {
      const float value = scale(random) - 0.01f;
      std::memcpy(&bytes[at], &value, 4);
    } else {
      const uint16_t half = HalfOfFloat(extreme ? 0.02f : scale(random) * (random() % 2 == 0 ? 1 : -1));
      const uint16_t brain = static_cast<uint16_t>(BitsOfFloat(FloatOfHalf(half)) >> 16);
      std::memcpy(&bytes[at + ScaleAt(type)], type == WeightType::kBF16 ? &brain : &half, 2);
      const uint16_t minimum = HalfOfFloat(scale(random) * 8);
      if (MinimumAt(type) > 0) std::memcpy(&bytes[at + MinimumAt(type)], &minimum, 2);
    }
  }
  return bytes;
}

inline std::vector<uint8_t> Pack(WeightType type, const std::vector<uint8_t>& data, int64_t k, int64_t columns) {
  std::vector<uint8_t> packed(PackedBytes(type, k, columns) + 64, 0xee);
  PackTiles(type, data.data(), k, columns, 0, NumTiles(columns), packed.data());
  return packed;
}

// float64[columns][k], what the file means.
inline std::vector<double> Meaning(WeightType type, const std::vector<uint8_t>& data, int64_t k, int64_t columns) {
  static constexpr int kOffsets[] = {8, 0, 16, 16, 128, 0, 16, 32};
  std::vector<double> values(columns * k);
  for (int64_t c = 0; c < columns; ++c) {
    const uint8_t* column = data.data() + c * ColumnBytes(type, k);
    for (int64_t i = 0; i < k; ++i) {
      double& value = values[c * k + i];
      if (type == WeightType::kF32) {
        float single;
        std::memcpy(&single, column + 4 * i, 4);
        value = single;
      } else if (IsFloat(type)) {
        uint16_t bits;
        std::memcpy(&bits, column + 2 * i, 2);
        value = type == WeightType::kF16 ? FloatOfHalf(bits) : FloatOfBrain(bits);
      } else {
        const QuantBlock block = ReadBlock(type, column, i / kBlockSize);
        const int at = static_cast<int>(i % kBlockSize);
        value = static_cast<double>(block.scale[at / 16]) * (block.bits[at] - kOffsets[static_cast<int>(type)]) +
                block.minimum;
      }
    }
  }
  return values;
}

}  // namespace winnow::kernels
