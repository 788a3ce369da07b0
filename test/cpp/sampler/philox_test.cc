#include "sampler/philox.h"

#include <gtest/gtest.h>

namespace winnow {
namespace {

using Words = std::array<uint32_t, 4>;

TEST(Philox, GivesThePublishedWords) {
  // Known answers of the authors' Random123 library for philox4x32 with 10 rounds.
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(UniformAt, DependsOnSeedCandidateAndPosition) {
  const double uniform = UniformAt(1, 2, 3);
  EXPECT_EQ(UniformAt(1, 2, 3), uniform);
  EXPECT_NE(UniformAt(2, 2, 3), uniform);
  EXPECT_NE(UniformAt(uint64_t{1} << 32 | 1, 2, 3), uniform);
  EXPECT_NE(UniformAt(1, 3, 3), uniform);
  EXPECT_NE(UniformAt(1, 2, 4), uniform);
  EXPECT_NE(UniformAt(1, 3, 2), uniform);
}

TEST(UniformAt, FillsTheUnitIntervalEvenly) {
  constexpr int kBins = 16, kPerBin = 1000;
  int counts[kBins] = {};
  for (int position = 0; position < kBins * kPerBin; ++position) {
    const double uniform = UniformAt(42, 0, static_cast<uint32_t>(position));
    ASSERT_GE(uniform, 0);
    ASSERT_LT(uniform, 1);
    ++counts[static_cast<int>(uniform * kBins)];
  }
  double chi_square = 0;
  for (int count : counts) chi_square += (count - kPerBin) * (count - kPerBin) / static_cast<double>(kPerBin);
  EXPECT_LT(chi_square, 37.7);  // 15 degrees of freedom, p = 0.001.
}

}  // namespace
}  // namespace winnow
