#include "peaks.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace winnow {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The best of a few short runs: the others were disturbed.
template <class Run>
double BestRate(double work, Run&& run) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::max(best, work / SecondsSince(start) / 1e9);
  }
  return best;
}

constexpr int kRounds = 500'000;
constexpr int kChains = 10;  // Independent sums, so that latency doesn't count.

__attribute__((target("avx2,fma"), noinline)) void MultiplyBytesAvx2() {
  __m256i sums[kChains] = {}, weights = _mm256_set1_epi8(3), activations = _mm256_set1_epi8(5);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) {
      asm volatile("" : "+x"(weights));
      sums[c] = _mm256_add_epi16(sums[c], _mm256_maddubs_epi16(weights, activations));
      asm volatile("" : "+x"(sums[c]));
    }
  }
}

__attribute__((target("avx2,fma"), noinline)) void MultiplyFloatsAvx2() {
  __m256 sums[kChains] = {}, a = _mm256_set1_ps(1.0001f), b = _mm256_set1_ps(0.5f);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm256_fmadd_ps(a, b, sums[c]);
      asm volatile("" : "+x"(sums[c]));
    }
  }
}

__attribute__((target("avx512f,avx512vnni"), noinline)) void MultiplyBytesAvx512() {
  __m512i sums[kChains] = {}, weights = _mm512_set1_epi8(3), activations = _mm512_set1_epi8(5);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm512_dpbusd_epi32(sums[c], weights, activations);
      asm volatile("" : "+v"(sums[c]));
    }
  }
}

__attribute__((target("avx512f"), noinline)) void MultiplyFloatsAvx512() {
  __m512 sums[kChains] = {}, a = _mm512_set1_ps(1.0001f), b = _mm512_set1_ps(0.5f);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 10
    for (int c = 0; c < kChains; ++c) {
      sums[c] = _mm512_fmadd_ps(a, b, sums[c]);
      asm volatile("" : "+v"(sums[c]));
    }
  }
}

__attribute__((target("avx2"), noinline)) void ReadAll(const std::vector<uint8_t>& bytes) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i + 64 <= bytes.size(); i += 64) {
    const auto* at = reinterpret_cast<const __m256i*>(bytes.data() + i);
    sum = _mm256_xor_si256(sum, _mm256_xor_si256(_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)));
  }
  asm volatile("" : "+x"(sum));
}

}  // namespace

Peaks MeasurePeaks(bool use_avx512) {
  const double rounds = static_cast<double>(kRounds) * kChains;
  static const std::vector<uint8_t> bytes(256 << 20, 1);
  Peaks peaks;
  peaks.byte_products =
      use_avx512 ? BestRate(rounds * 64, MultiplyBytesAvx512) : BestRate(rounds * 32, MultiplyBytesAvx2);
  peaks.float_products =
      use_avx512 ? BestRate(rounds * 16, MultiplyFloatsAvx512) : BestRate(rounds * 8, MultiplyFloatsAvx2);
  peaks.memory_bandwidth = BestRate(static_cast<double>(bytes.size()), [] { ReadAll(bytes); });
  return peaks;
}

}  // namespace winnow
