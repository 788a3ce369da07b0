#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "kernels/kernels.h"
#include "weights.h"

namespace winnow::kernels {
namespace {

std::vector<float> RandomRows(int64_t rows, int64_t k, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(rows * k);
  for (float& value : x) value = normal(random);
  return x;
}

std::vector<ActivationBlock> Quantize(const Kernels& kernels, const std::vector<float>& x, int64_t rows, int64_t k) {
  std::vector<ActivationBlock> groups(NumGroups(rows) * k / kBlockSize);
  for (int64_t r = 0; r < rows; ++r) {
    kernels.quantize_row(&x[r * k], k, static_cast<int>(r % kGroupRows), &groups[r / kGroupRows * (k / kBlockSize)]);
  }
  return groups;
}

// What the bytes of row r stand for.
double Activation(const std::vector<ActivationBlock>& groups, int64_t num_blocks, int64_t r, int64_t i) {
  const ActivationBlock& block = groups[r / kGroupRows * num_blocks + i / kBlockSize];
  int8_t q[4];
  std::memcpy(q, &block.q[i % kBlockSize / 4][r % kGroupRows], 4);
  return static_cast<double>(block.scale[r % kGroupRows]) * q[i % 4];
}

std::vector<float> Multiply(const Kernels& kernels, WeightType type, const std::vector<uint8_t>& packed,
                            const std::vector<float>& x, int64_t rows, int64_t k, int64_t columns) {
  std::vector<float> out(rows * columns, -1e9f);
  const int64_t tiles = NumTiles(columns), half = tiles / 2;
  const std::vector<ActivationBlock> groups = Quantize(kernels, x, rows, k);
  for (auto [first, last] : {std::pair(half, tiles), std::pair<int64_t, int64_t>(0, half)}) {
    if (IsFloat(type)) {
      kernels.float_gemm({type, packed.data(), x.data(), k, k, columns, rows, first, last, out.data(), columns});
    } else {
      kernels.gemm({type, packed.data(), groups.data(), k, columns, rows, first, last, out.data(), columns});
    }
  }
  return out;
}

// Each product against float64 over the packed weights and the quantized activations: only float32 sums differ.
void ExpectProducts(const Kernels& kernels, WeightType type, const std::vector<uint8_t>& data,
                    const std::vector<float>& x, int64_t rows, int64_t k, int64_t columns) {
  const std::vector<uint8_t> packed = Pack(type, data, k, columns);
  const std::vector<float> out = Multiply(kernels, type, packed, x, rows, k, columns);
  const std::vector<ActivationBlock> groups = Quantize(kernels, x, rows, k);
  std::vector<float> column(k);
  for (int64_t c = 0; c < columns; ++c) {
    UnpackColumn(type, packed.data(), k, columns, c, column.data());
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0, size = 1e-30;
      for (int64_t i = 0; i < k; ++i) {
        const double value = IsFloat(type) ? x[r * k + i] : Activation(groups, k / kBlockSize, r, i);
        sum += value * column[i];
        // The bits without their offset are larger than the weight: what is rounded is their product.
        size += std::fabs(value) * (std::fabs(column[i]) + (IsFloat(type) ? 0 : 0.1));
      }
      ASSERT_NEAR(out[r * columns + c], sum, size * 4e-6)
          << kernels.name << ' ' << NameOf(type) << " row " << r << " of " << rows << ", column " << c;
    }
  }
}

void ForEachKernels(const std::function<void(const Kernels&)>& test) {
  for (const Kernels* kernels : SupportedKernels()) test(*kernels);
}

std::vector<WeightType> AllTypes() {
  std::vector<WeightType> types(std::begin(kQuantTypes), std::end(kQuantTypes));
  types.insert(types.end(), std::begin(kFloatTypes), std::end(kFloatTypes));
  return types;
}

TEST(Quantize, RoundsToTheNearestOf127Steps) {
  ForEachKernels([](const Kernels& kernels) {
    const int64_t k = 96;
    const std::vector<float> x = RandomRows(9, k, 4);
    const std::vector<ActivationBlock> groups = Quantize(kernels, x, 9, k);
    for (int64_t r = 0; r < 9; ++r) {
      for (int64_t i = 0; i < k; ++i) {
        const float step = groups[r / kGroupRows * 3 + i / 32].scale[r % kGroupRows];
        ASSERT_NEAR(Activation(groups, 3, r, i), x[r * k + i], step * 0.5001) << kernels.name;
      }
    }
  });
}

TEST(Quantize, KeepsTheSumsOfItsBytes) {
  ForEachKernels([](const Kernels& kernels) {
    const std::vector<float> x = RandomRows(3, 32, 5);
    const std::vector<ActivationBlock> groups = Quantize(kernels, x, 3, 32);
    for (int r = 0; r < 3; ++r) {
      int pairs[2][2] = {};
      double sum = 0;
      for (int i = 0; i < 32; ++i) {
        const int q = static_cast<int>(std::lround(Activation(groups, 1, r, i) / groups[0].scale[r]));
        sum += q;
        pairs[0][i % 4 / 2] += q;
        if (i < 16) pairs[1][i % 4 / 2] += q;
      }
      EXPECT_NEAR(groups[0].sum[r], 1024 * sum * groups[0].scale[r], 1e-3);
      for (int part = 0; part < 2; ++part) {
        EXPECT_EQ(static_cast<int16_t>(groups[0].pairs[part][r] & 0xffff), pairs[part][0]) << kernels.name;
        EXPECT_EQ(static_cast<int16_t>(groups[0].pairs[part][r] >> 16), pairs[part][1]) << kernels.name;
      }
    }
  });
}

TEST(Gemm, AgreesWithFloat64ForAllTypesAndRowCounts) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : AllTypes()) {
      const int64_t k = IsFloat(type) ? 75 : BlockValues(type) == 256 ? 512 : 96;
      for (int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 21, 64, 70}) {
        const int64_t columns = 16 + rows * 7 % 33;
        ExpectProducts(kernels, type, RandomWeights(type, k, columns, 6), RandomRows(rows, k, 7), rows, k, columns);
      }
    }
  });
}

// More blocks than are unpacked at once, more rows than one pass takes.
TEST(Gemm, AgreesWithFloat64BeyondItsCacheBlocks) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : {WeightType::kQ4_0, WeightType::kQ4_1, WeightType::kQ6_K, WeightType::kQ8_0}) {
      const int64_t k = 2048, rows = 140, columns = 16;
      ExpectProducts(kernels, type, RandomWeights(type, k, columns, 8), RandomRows(rows, k, 9), rows, k, columns);
    }
  });
}

// Sixteen-bit sums must hold what the largest bits, scales and activations make of them.
TEST(Gemm, DoesNotOverflow) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : kQuantTypes) {
      const int64_t k = BlockValues(type) * 2, rows = 9, columns = 16;
      for (bool ones : {true, false}) {
        std::vector<uint8_t> data = RandomWeights(type, k, columns, 10, /*extreme=*/true);
        if (!ones) {  // The smallest bits: what lies furthest below the offset.
          const int64_t unit = ColumnBytes(type, BlockValues(type));
          for (size_t i = 0; i < data.size(); ++i) {
            const int at = static_cast<int>(i % unit) - ScaleAt(type);
            const bool is_scale = at == 0 || at == 1 || (MinimumAt(type) > 0 && (at == 2 || at == 3));
            if (!is_scale) data[i] = type == WeightType::kQ8_0 ? 0x80 : 0;
          }
          if (type == WeightType::kQ6_K) {
            for (size_t at = 192; at < data.size(); at += unit) std::memset(&data[at], 0x80, 16);
          }
        }
        for (float value : {3.0f, -3.0f}) {
          const std::vector<float> x(rows * k, value);
          ExpectProducts(kernels, type, data, x, rows, k, columns);
        }
      }
    }
  });
}

TEST(Gemm, TakesZerosOutliersAndDenormals) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : AllTypes()) {
      const int64_t k = IsFloat(type) ? 64 : BlockValues(type), rows = 4, columns = 16;
      std::vector<float> x = RandomRows(rows, k, 11);
      for (int64_t i = 0; i < k; ++i) {
        x[i] = 0.0f;
        x[k + i] = i == 3 ? 1e6f : x[k + i];
        x[2 * k + i] *= 1e-39f;
        x[3 * k + i] *= 1e30f;
      }
      ExpectProducts(kernels, type, RandomWeights(type, k, columns, 12), x, rows, k, columns);
    }
  });
}

TEST(Gemm, GivesARowTheSameBitsInAnyCompany) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : AllTypes()) {
      const int64_t k = IsFloat(type) ? 75 : 1024, columns = 101, rows = 70;
      const std::vector<uint8_t> packed = Pack(type, RandomWeights(type, k, columns, 13), k, columns);
      const std::vector<float> x = RandomRows(rows, k, 14);
      const std::vector<float> all = Multiply(kernels, type, packed, x, rows, k, columns);
      for (int64_t count : {1, 2, 3, 5, 7, 8, 13, 33}) {
        const int64_t first = rows - count;
        const std::vector<float> some(x.begin() + first * k, x.end());
        const std::vector<float> out = Multiply(kernels, type, packed, some, count, k, columns);
        ASSERT_EQ(std::memcmp(out.data(), &all[first * columns], out.size() * sizeof(float)), 0)
            << kernels.name << ' ' << NameOf(type) << ' ' << count;
      }
    }
  });
}

TEST(Gemm, WritesRowsWhereItIsTold) {
  ForEachKernels([](const Kernels& kernels) {
    for (WeightType type : {WeightType::kQ4_1, WeightType::kF32}) {
      const int64_t k = 64, columns = 40, rows = 5;
      const std::vector<uint8_t> packed = Pack(type, RandomWeights(type, k, columns, 15), k, columns);
      const std::vector<float> x = RandomRows(rows, k, 16);
      const std::vector<float> expected = Multiply(kernels, type, packed, x, rows, k, columns);
      const std::vector<ActivationBlock> groups = Quantize(kernels, x, rows, k);
      const int32_t targets[] = {7, 0, 3, 2, 5};
      std::vector<float> out(8 * columns, -1.0f);
      if (IsFloat(type)) {
        kernels.float_gemm({type, packed.data(), x.data(), k, k, columns, rows, 0, 3, out.data(), columns, targets});
      } else {
        kernels.gemm({type, packed.data(), groups.data(), k, columns, rows, 0, 3, out.data(), columns, targets});
      }
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) ASSERT_EQ(out[targets[r] * columns + c], expected[r * columns + c]);
      }
      for (int64_t untouched : {1, 4, 6}) ASSERT_EQ(out[untouched * columns], -1.0f);
    }
  });
}

}  // namespace
}  // namespace winnow::kernels
