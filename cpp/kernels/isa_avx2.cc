// Compiled with AVX2, FMA and F16C. Only what `Avx2Kernels` points to may be called from elsewhere, and only where the
// processor has them: no inline function of another header may be compiled here that others use too.
#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)

#include <immintrin.h>

#include "kernels/isa.h"

namespace winnow::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 8;
  static constexpr int kTileRows = 4;
  using Floats = __m256;
  using Bytes = __m256i;
  using Sums = __m256i;    // int16[16]: two for each column.
  using Scales = __m256i;  // int16[16]: each column's scale twice.

  WINNOW_INLINE static Floats LoadFloats(const float* at) { return _mm256_loadu_ps(at); }
  WINNOW_INLINE static void StoreFloats(float* at, Floats values) { _mm256_storeu_ps(at, values); }
  WINNOW_INLINE static Floats Splat(float value) { return _mm256_set1_ps(value); }
  WINNOW_INLINE static Floats Add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  WINNOW_INLINE static Floats Sub(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
  WINNOW_INLINE static Floats Mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  WINNOW_INLINE static Floats MulAdd(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  // For tiles that fill the registers: GCC keeps one of the sums on the stack otherwise.
  WINNOW_INLINE static Floats MulAddInOrder(Floats a, Floats b, Floats c) {
    Floats result = MulAdd(a, b, c);
    WINNOW_KEEP_ORDER(result);
    return result;
  }
  WINNOW_INLINE static Floats Max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  WINNOW_INLINE static Floats LoadHalves(const uint8_t* at) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
  }
  WINNOW_INLINE static Floats LoadBrains(const uint8_t* at) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
  }
  WINNOW_INLINE static float FirstLane(Floats values) { return _mm256_cvtss_f32(values); }
  WINNOW_INLINE static float SumOfLanes(Floats values) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
  WINNOW_INLINE static float LargestLane(Floats values) {
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
  }
  WINNOW_INLINE static void Fill(float* values, int64_t begin, int64_t end, float value) {
    for (int64_t i = begin; i < end; ++i) values[i] = value;
  }

  // e^y for y ≤ 0: y = n·ln 2 + r with |r| ≤ ln 2 ÷ 2, then the Taylor series of e^r times 2^n; 0 below −87.
  WINNOW_INLINE static Floats Exp(Floats y) {
    const Floats n = _mm256_round_ps(Mul(y, Splat(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Floats r = _mm256_fnmadd_ps(n, Splat(-2.12194440e-4f), _mm256_fnmadd_ps(n, Splat(0.693359375f), y));
    Floats series = Splat(1.0f / 720);
    series = MulAdd(series, r, Splat(1.0f / 120));
    series = MulAdd(series, r, Splat(1.0f / 24));
    series = MulAdd(series, r, Splat(1.0f / 6));
    series = MulAdd(series, r, Splat(0.5f));
    series = MulAdd(series, r, Splat(1.0f));
    series = MulAdd(series, r, Splat(1.0f));
    const __m256i power = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    const Floats result = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(series), power));
    return _mm256_and_ps(result, _mm256_cmp_ps(y, Splat(-87.0f), _CMP_GE_OQ));
  }

  WINNOW_INLINE static void Transpose(Floats* rows) {
    Floats pairs[8], quads[8];
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {
      pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
      pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {  // Columns i and i + 4 of the upper and of the lower four rows.
      const int from = i / 2;
      quads[i] = i % 2 == 0 ? _mm256_shuffle_ps(pairs[from], pairs[from + 2], 0x44)
                            : _mm256_shuffle_ps(pairs[from], pairs[from + 2], 0xee);
      quads[i + 4] = i % 2 == 0 ? _mm256_shuffle_ps(pairs[from + 4], pairs[from + 6], 0x44)
                                : _mm256_shuffle_ps(pairs[from + 4], pairs[from + 6], 0xee);
    }
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {
      rows[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
      rows[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
  }

  // Bit i: mask[i] is not −∞. 32 half-precision values.
  WINNOW_INLINE static uint32_t NotMinusInfinity(const uint16_t* mask) {
    const __m256i infinity = _mm256_set1_epi16(static_cast<int16_t>(0xfc00));
    const auto* at = reinterpret_cast<const __m256i*>(mask);
    const __m256i low = _mm256_cmpeq_epi16(_mm256_loadu_si256(at), infinity);
    const __m256i high = _mm256_cmpeq_epi16(_mm256_loadu_si256(at + 1), infinity);
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    return ~static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  }

  WINNOW_INLINE static Bytes LoadBytes(const uint8_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  WINNOW_INLINE static void StoreBytes(uint8_t* at, Bytes bytes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), bytes);
  }
  WINNOW_INLINE static Bytes Or(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  WINNOW_INLINE static Bytes Nibbles(Bytes bytes, bool high) {
    return _mm256_and_si256(high ? _mm256_srli_epi16(bytes, 4) : bytes, _mm256_set1_epi8(15));
  }
  // The `Count` bits of each byte from `bit` on, moved to bit 4.
  template <int Count>
  WINNOW_INLINE static Bytes MoveBits(Bytes bytes, int bit) {
    const Bytes moved = bit < 4 ? _mm256_slli_epi16(bytes, 4 - bit) : _mm256_srli_epi16(bytes, bit - 4);
    return _mm256_and_si256(moved, _mm256_set1_epi8(((1 << Count) - 1) << 4));
  }
  WINNOW_INLINE static Bytes Repeat(const int32_t* lane) { return _mm256_set1_epi32(*lane); }

  // −offset · Σ q: of the whole block (group −1), of its first or of its second half.
  WINNOW_INLINE static Sums Offset(const int32_t* whole, const int32_t* first, int group, int offset) {
    if (offset == 0) return _mm256_setzero_si256();
    const __m256i all = Repeat(whole);
    const __m256i sums = group < 0 ? all : group == 0 ? Repeat(first) : _mm256_sub_epi16(all, Repeat(first));
    return _mm256_mullo_epi16(sums, _mm256_set1_epi16(static_cast<int16_t>(-offset)));
  }
  // Sixteen bits are enough: a pair of products is below 2 · 63 · 127, wrapping sums on the way do no harm, and a whole
  // block with its offset taken off is within ±32,512 (16 · 16 · 127; with six bits 8 · 32 · 127).
  WINNOW_INLINE static Sums AddDot(Sums sums, Bytes weights, Bytes activations) {
    Sums result = _mm256_add_epi16(sums, _mm256_maddubs_epi16(weights, activations));
    WINNOW_KEEP_ORDER(result);
    return result;
  }
  // |pair of sums · scale| ≤ 2 · 32,512 · 32,767 < 2^31.
  WINNOW_INLINE static Floats Scaled(Sums sums, Scales scales) {
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(sums, scales));
  }
  WINNOW_INLINE static Scales WidenScales(const uint8_t* at) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    return _mm256_or_si256(wide, _mm256_slli_epi32(wide, 16));
  }
  WINNOW_INLINE static Scales LoadScales(const uint8_t* at) { return LoadBytes(at); }
  WINNOW_INLINE static void StoreScales(uint8_t* at, Scales scales) { StoreBytes(at, scales); }

  template <size_t Size>
  WINNOW_INLINE static void Prefetch(const uint8_t* at) {
    WINNOW_UNROLL for (size_t i = 0; i < Size; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(at + i), _MM_HINT_T0);
    }
  }

  // float32[32] to int8 in units of the largest magnitude ÷ 127; returns the largest magnitude.
  WINNOW_INLINE static float QuantizeBlock(const float* x, int8_t* q) {
    Floats values[4], largest = _mm256_setzero_ps();
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {
      values[i] = LoadFloats(x + 8 * i);
      largest = Max(largest, _mm256_andnot_ps(Splat(-0.0f), values[i]));
    }
    const float top = LargestLane(largest);
    const Floats inverse = Splat(top > 0 ? 127.0f / top : 0.0f);
    __m256i lanes[4];
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) lanes[i] = _mm256_cvtps_epi32(Mul(values[i], inverse));
    const __m256i words =
        _mm256_packs_epi16(_mm256_packs_epi32(lanes[0], lanes[1]), _mm256_packs_epi32(lanes[2], lanes[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_store_si256(reinterpret_cast<__m256i*>(q), _mm256_permutevar8x32_epi32(words, order));
    return top;
  }

  // Σ q over k ≡ 0, 1 and k ≡ 2, 3 (mod 4), as two int16: of all 32, and of the first 16.
  WINNOW_INLINE static void SumPairs(const int8_t* q, int32_t* whole, int32_t* first) {
    const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(q));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    __m128i low = _mm256_castsi256_si128(pairs), all = _mm_add_epi16(low, _mm256_extracti128_si256(pairs, 1));
    low = _mm_add_epi16(low, _mm_srli_si128(low, 8));
    all = _mm_add_epi16(all, _mm_srli_si128(all, 8));
    *first = _mm_cvtsi128_si32(_mm_add_epi16(low, _mm_srli_si128(low, 4)));
    *whole = _mm_cvtsi128_si32(_mm_add_epi16(all, _mm_srli_si128(all, 4)));
  }
};

#include "kernels/attention.inc"
#include "kernels/float_gemm.inc"
#include "kernels/gemm.inc"
#include "kernels/quantize.inc"

}  // namespace

extern const Kernels kAvx2Kernels = {"avx2", QuantizeRow, Gemm, FloatGemm, Attention, ScanMask};

}  // namespace winnow::kernels

#endif
