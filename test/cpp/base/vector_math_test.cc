#include "base/vector_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/vector_kernels.h"

namespace winnow::vector_math {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> RandomRow(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> row(size);
  for (float& value : row) value = normal(random);
  return row;
}

// Around every boundary of a vector and of a block.
const size_t kSizes[] = {0, 1, 3, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1000, 49152};

TEST(VectorMath, ExpIsAccurateToTwoUnitsInTheSeventhDigit) {
  std::vector<float> values;
  for (float value = -86.99f; value <= 0; value += 0.0007f) values.push_back(value);
  values.push_back(0);
  std::vector<float> result(values.size());
  for (const Kernels& kernels : SupportedKernels()) {
    kernels.exp(values.data(), values.size(), 0, 1, result.data());
    for (size_t i = 0; i < values.size(); ++i) {
      const double expected = std::exp(static_cast<double>(values[i]));
      ASSERT_NEAR(result[i] / expected, 1, 2e-7) << kernels.name << " at " << values[i];
    }
    EXPECT_EQ(result.back(), 1.0f) << kernels.name;
  }
}

TEST(VectorMath, ExpOfWhatIsFarBelowOrNoNumberIsZero) {
  const std::vector<float> values = {-kInfinity, kNan, -88, -1e30f, std::numeric_limits<float>::lowest()};
  for (const Kernels& kernels : SupportedKernels()) {
    std::vector<float> result(values.size(), 1);
    kernels.exp(values.data(), values.size(), 0, 1, result.data());
    EXPECT_EQ(result, std::vector<float>(values.size(), 0.0f)) << kernels.name;
  }
}

TEST(VectorMath, ExpAppliesShiftAndScale) {
  const std::vector<float> values = {3, 2, 1};
  std::vector<float> result(3);
  Exp(values, 3, 0.5f, result.data());
  EXPECT_FLOAT_EQ(result[0], 1);
  EXPECT_FLOAT_EQ(result[1], std::exp(-0.5f));
  EXPECT_FLOAT_EQ(result[2], std::exp(-1.0f));
}

TEST(VectorMath, SumExpAgreesWithDoublePrecision) {
  for (size_t size : kSizes) {
    const std::vector<float> row = RandomRow(size, 1);
    const float max = Max(row);
    double expected = 0;
    for (float value : row) expected += std::exp((static_cast<double>(value) - max) * 0.7);
    EXPECT_NEAR(SumExp(row, max, 0.7f), expected, 1e-6 * expected) << size;
  }
}

TEST(VectorMath, BlockSumsAddUpToTheSum) {
  const std::vector<float> row = RandomRow(1000, 2);
  std::vector<double> block_sums(NumBlocks(row.size()));
  const double total = SumExp(row, Max(row), 1, block_sums.data());
  double sum = 0;
  for (double block : block_sums) sum += block;
  EXPECT_EQ(block_sums.size(), 16u);
  EXPECT_EQ(sum, total);
}

TEST(VectorMath, MaximaIgnoreNanAndReportIt) {
  std::vector<float> row = RandomRow(200, 3);
  row[70] = 99;
  float maxima[4];
  EXPECT_FALSE(BlockMaxima(row, maxima));
  EXPECT_EQ(maxima[1], 99);
  for (size_t position : {0u, 71u, 199u}) {
    std::vector<float> broken = row;
    broken[position] = kNan;
    EXPECT_TRUE(BlockMaxima(broken, maxima)) << position;
    EXPECT_EQ(maxima[1], 99) << position;
    EXPECT_EQ(Max(broken), 99) << position;
  }
}

TEST(VectorMath, RowsWithoutNumbersHaveTheMaximumMinusInfinity) {
  EXPECT_EQ(Max(std::vector<float>{}), -kInfinity);
  EXPECT_EQ(Max(std::vector<float>(100, kNan)), -kInfinity);
  EXPECT_EQ(Max(std::vector<float>(100, -kInfinity)), -kInfinity);
  EXPECT_EQ(SumExp(std::vector<float>(100, -kInfinity), -kInfinity, 1), 0);
}

TEST(VectorMath, FindFirstReturnsTheLowestIndexOrTheSize) {
  for (size_t size : kSizes) {
    std::vector<float> row = RandomRow(size, 4);
    EXPECT_EQ(FindFirst(row, 1000), size);
    if (size < 2) continue;
    row[size / 2] = row[size - 1] = 1000;
    EXPECT_EQ(FindFirst(row, 1000), size / 2);
  }
}

TEST(VectorMath, AllInstructionSetsGiveTheSameBits) {
  const Kernels& reference = SupportedKernels().front();
  for (const Kernels& kernels : SupportedKernels()) {
    for (size_t size : kSizes) {
      const std::vector<float> row = RandomRow(size, 5);
      const float max = reference.max(row.data(), size);
      std::vector<float> exps(size), expected_exps(size), maxima(NumBlocks(size)), expected_maxima(NumBlocks(size));
      kernels.exp(row.data(), size, max, 1.3f, exps.data());
      reference.exp(row.data(), size, max, 1.3f, expected_exps.data());
      kernels.block_maxima(row.data(), size, maxima.data());
      reference.block_maxima(row.data(), size, expected_maxima.data());
      EXPECT_EQ(exps, expected_exps) << kernels.name << size;
      EXPECT_EQ(maxima, expected_maxima) << kernels.name << size;
      EXPECT_EQ(kernels.max(row.data(), size), max) << kernels.name << size;
      EXPECT_EQ(kernels.find_first(row.data(), size, max), reference.find_first(row.data(), size, max));
      EXPECT_EQ(kernels.sum_exp(row.data(), size, max, 1.3f, nullptr),
                reference.sum_exp(row.data(), size, max, 1.3f, nullptr))
          << kernels.name << size;
    }
  }
}

}  // namespace
}  // namespace winnow::vector_math
