#include "base/vector_math.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/vector_kernels.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi"  // The functions that return vectors are all inlined.
#endif

namespace winnow::vector_math {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr size_t kPartialSums = 8;

// The end of a row, filled up to a block.
struct PaddedBlock {
  PaddedBlock(const float* begin, size_t size) {
    std::copy_n(begin, size, values);
    std::fill(values + size, values + kBlockSize, -kInfinity);
  }
  float values[kBlockSize];
};

// Vectors of the language: GCC and Clang lower them to what the instruction set has.
namespace portable {
#define WINNOW_TARGET
#if defined(__GNUC__)
#define WINNOW_LANES 4
#else
#define WINNOW_LANES 1
#endif
#include "base/vector_loops.inc"
#undef WINNOW_TARGET
#undef WINNOW_LANES
}  // namespace portable

#if defined(__GNUC__) && defined(__x86_64__)
#define WINNOW_HAS_AVX2
namespace avx2 {
#define WINNOW_TARGET __attribute__((target("avx2")))
#define WINNOW_LANES 8
#include "base/vector_loops.inc"
#undef WINNOW_TARGET
#undef WINNOW_LANES
}  // namespace avx2
#endif

constexpr Kernels kKernels[] = {
    {"portable", portable::Max, portable::BlockMaxima, portable::FindFirst, portable::Exp, portable::SumExp},
#if defined(WINNOW_HAS_AVX2)
    {"avx2", avx2::Max, avx2::BlockMaxima, avx2::FindFirst, avx2::Exp, avx2::SumExp},
#endif
};

size_t NumSupported() {
#if defined(WINNOW_HAS_AVX2)
  return __builtin_cpu_supports("avx2") ? 2 : 1;
#else
  return 1;
#endif
}

const Kernels& Best() {
  static const Kernels& best = SupportedKernels().back();
  return best;
}

}  // namespace

Span<const Kernels> SupportedKernels() { return {kKernels, NumSupported()}; }

float Max(Span<const float> values) { return Best().max(values.data(), values.size()); }

bool BlockMaxima(Span<const float> values, float* maxima) {
  return Best().block_maxima(values.data(), values.size(), maxima);
}

size_t FindFirst(Span<const float> values, float value) {
  return Best().find_first(values.data(), values.size(), value);
}

void Exp(Span<const float> values, float shift, float scale, float* out) {
  Best().exp(values.data(), values.size(), shift, scale, out);
}

double SumExp(Span<const float> values, float shift, float scale, double* block_sums) {
  return Best().sum_exp(values.data(), values.size(), shift, scale, block_sums);
}

}  // namespace winnow::vector_math
