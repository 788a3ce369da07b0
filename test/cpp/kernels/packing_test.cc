#include "kernels/packing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/half.h"
#include "weights.h"

namespace winnow::kernels {
namespace {

TEST(Half, ReadsAndWritesEveryValue) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FloatOfHalf(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(HalfOfFloat(value), bits) << value;
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(FloatOfHalf(HalfOfFloat(1.0f + 0x1p-11f)), 1.0f);
  EXPECT_EQ(FloatOfHalf(HalfOfFloat(1.0f + 3 * 0x1p-11f)), 1.0f + 0x1p-9f);
  EXPECT_EQ(FloatOfHalf(HalfOfFloat(65519.0f)), 65504.0f);
  EXPECT_TRUE(std::isinf(FloatOfHalf(HalfOfFloat(65520.0f))));
  EXPECT_EQ(FloatOfHalf(HalfOfFloat(0x1p-25f)), 0.0f);
  EXPECT_EQ(FloatOfHalf(HalfOfFloat(-0x1.8p-25f)), -0x1p-24f);
}

// A scale is rounded to 15 bits of the column's largest one, a minimum to 11 bits.
double ToleranceOf(const std::vector<double>& column) {
  double largest = 0;
  for (double value : column) largest = std::max(largest, std::fabs(value));
  return largest * 0x1p-11;
}

TEST(Packing, KeepsTheMeaningOfEveryQuantizedType) {
  for (WeightType type : kQuantTypes) {
    const int64_t k = BlockValues(type) * 3, columns = 37;
    const std::vector<uint8_t> data = RandomWeights(type, k, columns, 1);
    const std::vector<uint8_t> packed = Pack(type, data, k, columns);
    const std::vector<double> meant = Meaning(type, data, k, columns);
    std::vector<float> read(k);
    for (int64_t c = 0; c < columns; ++c) {
      UnpackColumn(type, packed.data(), k, columns, c, read.data());
      const std::vector<double> column(meant.begin() + c * k, meant.begin() + (c + 1) * k);
      for (int64_t i = 0; i < k; ++i)
        ASSERT_NEAR(read[i], column[i], ToleranceOf(column)) << NameOf(type) << ' ' << c << ' ' << i;
    }
  }
}

TEST(Packing, KeepsFloatingPointWeightsExactly) {
  for (WeightType type : kFloatTypes) {
    const int64_t k = 50, columns = 21;
    const std::vector<uint8_t> data = RandomWeights(type, k, columns, 2);
    const std::vector<uint8_t> packed = Pack(type, data, k, columns);
    const std::vector<double> meant = Meaning(type, data, k, columns);
    std::vector<float> read(k);
    for (int64_t c = 0; c < columns; ++c) {
      UnpackColumn(type, packed.data(), k, columns, c, read.data());
      for (int64_t i = 0; i < k; ++i) ASSERT_EQ(read[i], meant[c * k + i]) << NameOf(type);
    }
  }
}

TEST(Packing, WritesNoByteBehindTheMatrix) {
  for (WeightType type : kQuantTypes) {
    const int64_t k = BlockValues(type), columns = 17;
    const std::vector<uint8_t> packed = Pack(type, RandomWeights(type, k, columns, 3), k, columns);
    const size_t size = PackedBytes(type, k, columns);
    for (size_t i = size; i < packed.size(); ++i) ASSERT_EQ(packed[i], 0xee) << NameOf(type);
  }
}

TEST(Packing, TakesNoMoreBitsThanItSays) {
  auto bits = [](WeightType type) { return PackedBytes(type, 4096, 4096) * 8.0 / (4096.0 * 4096.0); };
  for (WeightType type : {WeightType::kQ4_0, WeightType::kQ4_1, WeightType::kQ4_K}) EXPECT_LE(bits(type), 5.01);
  for (WeightType type : {WeightType::kQ5_0, WeightType::kQ5_1, WeightType::kQ5_K}) EXPECT_LE(bits(type), 6.3);
  EXPECT_LE(bits(WeightType::kQ6_K), 7.5);
  EXPECT_LE(bits(WeightType::kQ8_0), 9.0);
}

TEST(Packing, SurvivesScalesThatAreNoNumbers) {
  for (WeightType type : kQuantTypes) {
    const int64_t k = BlockValues(type), columns = 16;
    std::vector<uint8_t> data(columns * ColumnBytes(type, k), 0xff);  // Every half is NaN.
    const std::vector<uint8_t> packed = Pack(type, data, k, columns);
    std::vector<float> read(k);
    UnpackColumn(type, packed.data(), k, columns, 0, read.data());
    for (float value : read) EXPECT_TRUE(std::isfinite(value)) << NameOf(type);
  }
}

TEST(Packing, RefusesQuantizedRowsThatAreNoWholeBlocks) {
  EXPECT_FALSE(CanPack(WeightType::kQ8_0, 48));
  EXPECT_TRUE(CanPack(WeightType::kQ8_0, 64));
  EXPECT_TRUE(CanPack(WeightType::kF16, 48));
}

}  // namespace
}  // namespace winnow::kernels
