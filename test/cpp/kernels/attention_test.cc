#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "kernels/half.h"
#include "kernels/kernels.h"

namespace winnow::kernels {
namespace {

// A cache of one KV head, and rows that see some of its cells.
struct Setting {
  int k_size = 64;
  int v_size = 64;
  int group = 3;
  int64_t num_cells = 300;
  CacheType type = CacheType::kF16;
  std::vector<std::vector<int32_t>> visible;  // Per row, in the order of positions.
  std::vector<int32_t> first_positions;
  uint32_t seed = 1;
};

class Problem {
 public:
  explicit Problem(const Setting& setting) : setting_(setting) {
    std::mt19937 random(setting.seed);
    std::normal_distribution<float> normal;
    for (float& value : queries_ = std::vector<float>(rows() * setting.group * setting.k_size)) value = normal(random);
    keys_ = Cache(setting.num_cells * setting.k_size, &random);
    values_ = Cache(setting.num_cells * setting.v_size, &random);
  }

  int64_t rows() const { return static_cast<int64_t>(setting_.visible.size()); }

  // float32[last − first][group][v_size]
  std::vector<float> Run(const Kernels& kernels, int64_t first, int64_t last) const {
    const int64_t stride = setting_.num_cells;
    std::vector<int32_t> cells(rows() * stride), counts;
    for (int64_t r = 0; r < rows(); ++r) {
      std::copy(setting_.visible[r].begin(), setting_.visible[r].end(), cells.begin() + r * stride);
      counts.push_back(static_cast<int32_t>(setting_.visible[r].size()));
    }
    std::vector<float> out(rows() * setting_.group * setting_.v_size, -1e9f);
    std::vector<float> scratch(AttentionScratch(setting_.k_size, setting_.v_size));
    const int64_t row_q = setting_.group * setting_.k_size * 4, row_out = setting_.group * setting_.v_size * 4;
    const int64_t size = setting_.type == CacheType::kF32 ? 4 : 2;
    kernels.attention({reinterpret_cast<const char*>(queries_.data()),
                       row_q,
                       setting_.k_size * 4,
                       keys_.data(),
                       setting_.k_size * size,
                       values_.data(),
                       setting_.v_size * size,
                       setting_.type,
                       reinterpret_cast<char*>(out.data()),
                       row_out,
                       setting_.v_size * 4,
                       setting_.k_size,
                       setting_.v_size,
                       setting_.group,
                       kScale,
                       {cells.data(), stride, counts.data(), setting_.first_positions.data(), rows()},
                       first,
                       last,
                       scratch.data()});
    return {out.begin() + first * setting_.group * setting_.v_size,
            out.begin() + last * setting_.group * setting_.v_size};
  }

  // float64, one row after the other.
  std::vector<double> Expected() const {
    std::vector<double> out;
    for (int64_t query = 0; query < rows() * setting_.group; ++query) {
      const std::vector<int32_t>& cells = setting_.visible[query / setting_.group];
      std::vector<double> weights;
      for (int32_t cell : cells) {
        double score = 0;
        for (int i = 0; i < setting_.k_size; ++i) {
          score += static_cast<double>(queries_[query * setting_.k_size + i]) * At(keys_, cell * setting_.k_size + i);
        }
        weights.push_back(score * kScale);
      }
      const double top = cells.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
      double total = 0;
      for (double& weight : weights) total += weight = std::exp(weight - top);
      for (int i = 0; i < setting_.v_size; ++i) {
        double sum = 0;
        for (size_t c = 0; c < cells.size(); ++c) sum += weights[c] * At(values_, cells[c] * setting_.v_size + i);
        out.push_back(cells.empty() ? 0 : sum / total);
      }
    }
    return out;
  }

 private:
  static constexpr float kScale = 0.125f;

  std::vector<char> Cache(int64_t count, std::mt19937* random) const {
    std::normal_distribution<float> normal;
    std::vector<char> bytes(count * (setting_.type == CacheType::kF32 ? 4 : 2));
    for (int64_t i = 0; i < count; ++i) {
      const float value = normal(*random);
      const uint16_t half = HalfOfFloat(value), brain = static_cast<uint16_t>(BitsOfFloat(value) >> 16);
      if (setting_.type == CacheType::kF32) std::memcpy(&bytes[4 * i], &value, 4);
      if (setting_.type == CacheType::kF16) std::memcpy(&bytes[2 * i], &half, 2);
      if (setting_.type == CacheType::kBF16) std::memcpy(&bytes[2 * i], &brain, 2);
    }
    return bytes;
  }
  double At(const std::vector<char>& cache, int64_t i) const {
    float value;
    uint16_t bits;
    std::memcpy(&value, &cache[setting_.type == CacheType::kF32 ? 4 * i : 0], 4);
    std::memcpy(&bits, &cache[setting_.type == CacheType::kF32 ? 0 : 2 * i], 2);
    if (setting_.type == CacheType::kF32) return value;
    return setting_.type == CacheType::kF16 ? FloatOfHalf(bits) : FloatOfBrain(bits);
  }

  Setting setting_;
  std::vector<float> queries_;
  std::vector<char> keys_;
  std::vector<char> values_;
};

void ExpectAttention(const Setting& setting) {
  const Problem problem(setting);
  const std::vector<double> expected = problem.Expected();
  for (const Kernels* kernels : SupportedKernels()) {
    const std::vector<float> out = problem.Run(*kernels, 0, problem.rows());
    for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 2e-5) << kernels->name << ' ' << i;
    // Alone and in any company: the same bits.
    for (int64_t row = 0; row < problem.rows(); ++row) {
      const std::vector<float> alone = problem.Run(*kernels, row, row + 1);
      ASSERT_EQ(std::memcmp(alone.data(), &out[row * alone.size()], alone.size() * sizeof(float)), 0)
          << kernels->name << " row " << row;
    }
  }
}

// Row r sees the first `counts[r]` of a permutation of the cells.
Setting Prefixes(const std::vector<int64_t>& counts, uint32_t seed) {
  Setting setting;
  setting.seed = seed;
  std::vector<int32_t> order(setting.num_cells);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  for (int64_t count : counts) setting.visible.emplace_back(order.begin(), order.begin() + count);
  setting.first_positions.assign(counts.size(), 0);
  return setting;
}

TEST(Attention, AgreesWithFloat64AlongAPrompt) {
  std::vector<int64_t> counts(70);
  std::iota(counts.begin(), counts.end(), 1);
  ExpectAttention(Prefixes(counts, 2));
}

TEST(Attention, AgreesWithFloat64AcrossBlocks) {
  ExpectAttention(Prefixes({63, 64, 65, 127, 128, 129, 192, 300, 1}, 3));
}

TEST(Attention, TakesEveryHeadSizeAndGroup) {
  for (int size : {16, 32, 48, 64, 80, 96, 112, 128, 192, 256}) {
    Setting setting = Prefixes({5, 70, 130}, 4);
    setting.k_size = size;
    setting.v_size = size == 192 ? 128 : size;
    setting.group = 1 + size % 7;
    ExpectAttention(setting);
  }
}

TEST(Attention, TakesEveryCacheType) {
  for (CacheType type : {CacheType::kF16, CacheType::kBF16, CacheType::kF32}) {
    Setting setting = Prefixes({40, 41, 150}, 5);
    setting.type = type;
    ExpectAttention(setting);
  }
}

// Forks: a common beginning, then cells of their own.
TEST(Attention, SharesPrefixesWithoutMixingWhatFollows) {
  Setting setting = Prefixes({100}, 6);
  const std::vector<int32_t> prefix = setting.visible[0];
  setting.visible.clear();
  for (int fork = 0; fork < 9; ++fork) {
    std::vector<int32_t> cells = prefix;
    for (int i = 0; i < 3 + fork; ++i) cells.push_back(200 + fork * 11 + i);
    setting.visible.push_back(cells);
  }
  setting.visible.push_back({299});
  setting.first_positions.assign(setting.visible.size(), 0);
  ExpectAttention(setting);
}

// A sliding window: lists that begin in the middle of a block of positions.
TEST(Attention, WalksTheSameBlocksWhereverAWindowBegins) {
  Setting setting;
  for (int32_t row = 0; row < 40; ++row) {
    std::vector<int32_t> cells(100);
    std::iota(cells.begin(), cells.end(), row + 30);
    setting.visible.push_back(cells);
    setting.first_positions.push_back(row + 30);
  }
  ExpectAttention(setting);
}

TEST(Attention, GivesZerosToARowThatSeesNothing) {
  Setting setting = Prefixes({0, 10, 0}, 7);
  ExpectAttention(setting);
}

TEST(ScanMask, FindsTheCellsThatAreNotHidden) {
  std::mt19937 random(8);
  std::vector<uint16_t> mask(320, 0xfc00);
  std::vector<int32_t> expected;
  for (int32_t i = 0; i < 320; ++i) {
    if (random() % 3 == 0) {
      mask[i] = 0;
      expected.push_back(i);
    }
  }
  for (const Kernels* kernels : SupportedKernels()) {
    std::vector<int32_t> cells(320);
    cells.resize(kernels->scan_mask(mask.data(), 320, cells.data()));
    EXPECT_EQ(cells, expected) << kernels->name;
  }
}

}  // namespace
}  // namespace winnow::kernels
