// Products and attention of every instruction set that this processor has, on one core, with the share of the core's
// measured peak. Arguments: k, columns, rows; for attention: rows, cells.
#include <benchmark/benchmark.h>

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/kernels.h"
#include "peaks.h"
#include "weights.h"

namespace winnow {
namespace {

using kernels::Kernels;
using kernels::WeightType;

bool IsAvx512(const Kernels& kernels) { return std::strcmp(kernels.name, "avx512") == 0; }

std::vector<float> RandomFloats(size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

// Rates and shares of what was measured right before and after.
class Roofline {
 public:
  explicit Roofline(const Kernels& kernels) : is_avx512_(IsAvx512(kernels)), before_(MeasurePeaks(is_avx512_)) {}
  Peaks Now() const {
    const Peaks after = MeasurePeaks(is_avx512_);
    return {(before_.byte_products + after.byte_products) / 2, (before_.float_products + after.float_products) / 2,
            (before_.memory_bandwidth + after.memory_bandwidth) / 2};
  }

 private:
  bool is_avx512_;
  Peaks before_;
};

void SetCounters(benchmark::State& state, double products, double bytes, double peak, double bandwidth) {
  using benchmark::Counter;
  const double iterations = static_cast<double>(state.iterations());
  state.counters["GMAC/s"] = Counter(products * iterations / 1e9, Counter::kIsRate);
  state.counters["of_peak"] = Counter(products * iterations / 1e9 / peak, Counter::kIsRate);
  state.counters["of_bandwidth"] = Counter(bytes * iterations / 1e9 / bandwidth, Counter::kIsRate);
}

// Kept: Google Benchmark calls a case several times to find its number of iterations, and packing takes longer.
const std::vector<uint8_t>& PackedWeights(WeightType type, int64_t k, int64_t columns) {
  static std::map<std::tuple<WeightType, int64_t, int64_t>, std::vector<uint8_t>> kept;
  std::vector<uint8_t>& packed = kept[{type, k, columns}];
  if (packed.empty()) packed = Pack(type, RandomWeights(type, k, columns, 1), k, columns);
  return packed;
}

void Gemm(benchmark::State& state, const Kernels& kernels, WeightType type) {
  const int64_t k = state.range(0), columns = state.range(1), rows = state.range(2);
  const std::vector<uint8_t>& packed = PackedWeights(type, k, columns);
  const std::vector<float> x = RandomFloats(rows * k);
  std::vector<kernels::ActivationBlock> groups(kernels::NumGroups(rows) * k / 32 + 1);
  for (int64_t r = 0; r < rows; ++r) kernels.quantize_row(&x[r * k], k, r % 8, &groups[r / 8 * (k / 32)]);
  std::vector<float> out(rows * columns);
  const int64_t tiles = kernels::NumTiles(columns);
  const Roofline roofline(kernels);
  for (auto _ : state) {
    if (kernels::IsFloat(type)) {
      kernels.float_gemm({type, packed.data(), x.data(), k, k, columns, rows, 0, tiles, out.data(), columns});
    } else {
      kernels.gemm({type, packed.data(), groups.data(), k, columns, rows, 0, tiles, out.data(), columns});
    }
    benchmark::DoNotOptimize(out.data());
  }
  const Peaks peaks = roofline.Now();
  SetCounters(state, static_cast<double>(k) * columns * rows, static_cast<double>(packed.size()),
              kernels::IsFloat(type) ? peaks.float_products : peaks.byte_products, peaks.memory_bandwidth);
}

void QuantizeRows(benchmark::State& state, const Kernels& kernels) {
  const int64_t k = state.range(0);
  const std::vector<float> x = RandomFloats(k);
  std::vector<kernels::ActivationBlock> group(k / 32);
  for (auto _ : state) {
    kernels.quantize_row(x.data(), k, 0, group.data());
    benchmark::DoNotOptimize(group.data());
  }
  state.SetItemsProcessed(state.iterations() * k);
}

// Rows that all see the same cells, three query heads to a KV head of 64.
void Attention(benchmark::State& state, const Kernels& kernels) {
  const int64_t rows = state.range(0), cells = state.range(1), size = 64, group = 3;
  const std::vector<float> q = RandomFloats(rows * group * size);
  std::vector<uint16_t> cache(cells * size, 0x3800);
  std::vector<float> out(q.size()), scratch(kernels::AttentionScratch(size, size));
  std::vector<int32_t> list(rows * cells), counts(rows, static_cast<int32_t>(cells)), first(rows, 0);
  for (size_t i = 0; i < list.size(); ++i) list[i] = static_cast<int32_t>(i % cells);
  const auto* at = reinterpret_cast<const char*>(cache.data());
  const kernels::AttentionTask task = {reinterpret_cast<const char*>(q.data()),
                                       group * size * 4,
                                       size * 4,
                                       at,
                                       size * 2,
                                       at,
                                       size * 2,
                                       kernels::CacheType::kF16,
                                       reinterpret_cast<char*>(out.data()),
                                       group * size * 4,
                                       size * 4,
                                       static_cast<int>(size),
                                       static_cast<int>(size),
                                       static_cast<int>(group),
                                       0.125f,
                                       {list.data(), cells, counts.data(), first.data(), rows},
                                       0,
                                       rows,
                                       scratch.data()};
  const Roofline roofline(kernels);
  for (auto _ : state) {
    kernels.attention(task);
    benchmark::DoNotOptimize(out.data());
  }
  const Peaks peaks = roofline.Now();
  SetCounters(state, 2.0 * rows * group * cells * size, 4.0 * cells * size, peaks.float_products,
              peaks.memory_bandwidth);
}

// Shapes of models with 135 million, 1 and 8 billion parameters.
void AddShapes(benchmark::internal::Benchmark* benchmark) {
  for (int64_t rows : {1, 8, 16, 64, 256}) {
    benchmark->Args({576, 1536, rows});
    benchmark->Args({2048, 8192, rows});
    benchmark->Args({4096, 14336, rows});
  }
}

void RegisterAll() {
  for (const Kernels* kernels : kernels::SupportedKernels()) {
    if (std::strcmp(kernels->name, "portable") == 0) continue;
    const std::string prefix = std::string(kernels->name) + '/';
    for (WeightType type : {WeightType::kQ4_0, WeightType::kQ4_1, WeightType::kQ4_K, WeightType::kQ5_0,
                            WeightType::kQ6_K, WeightType::kQ8_0, WeightType::kF16}) {
      const std::string name = prefix + "Gemm/" + kernels::NameOf(type);
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { Gemm(state, *kernels, type); })
          ->Apply(type == WeightType::kQ4_K || type == WeightType::kQ6_K
                      ? [](benchmark::internal::Benchmark* b) { b->Args({2048, 8192, 1})->Args({2048, 8192, 64}); }
                      : AddShapes);
    }
    benchmark::RegisterBenchmark((prefix + "QuantizeRow").c_str(),
                                 [=](benchmark::State& state) { QuantizeRows(state, *kernels); })
        ->Arg(576)
        ->Arg(4096);
    benchmark::RegisterBenchmark((prefix + "Attention").c_str(),
                                 [=](benchmark::State& state) { Attention(state, *kernels); })
        ->Args({1, 1024})
        ->Args({16, 1024})
        ->Args({64, 1024});
  }
}

}  // namespace
}  // namespace winnow

int main(int argc, char** argv) {
  winnow::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
