// Compiled with AVX-512 F, BW, DQ, VL and VNNI; the same rules as in isa_avx2.cc.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VNNI__)

#include <immintrin.h>

#include "kernels/isa.h"

namespace winnow::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 8;
  using Floats = __m512;
  using Bytes = __m512i;
  using Sums = __m512i;   // int32[16]
  using Scales = __m512;  // float32[16]

  WINNOW_INLINE static Floats LoadFloats(const float* at) { return _mm512_loadu_ps(at); }
  WINNOW_INLINE static void StoreFloats(float* at, Floats values) { _mm512_storeu_ps(at, values); }
  WINNOW_INLINE static Floats Splat(float value) { return _mm512_set1_ps(value); }
  WINNOW_INLINE static Floats Add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  WINNOW_INLINE static Floats Sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  WINNOW_INLINE static Floats Mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  WINNOW_INLINE static Floats MulAdd(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  WINNOW_INLINE static Floats MulAddInOrder(Floats a, Floats b, Floats c) { return MulAdd(a, b, c); }
  WINNOW_INLINE static Floats Max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  WINNOW_INLINE static Floats LoadHalves(const uint8_t* at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  WINNOW_INLINE static Floats LoadBrains(const uint8_t* at) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  WINNOW_INLINE static float FirstLane(Floats values) { return _mm512_cvtss_f32(values); }
  WINNOW_INLINE static float SumOfLanes(Floats values) { return _mm512_reduce_add_ps(values); }
  WINNOW_INLINE static float LargestLane(Floats values) { return _mm512_reduce_max_ps(values); }
  WINNOW_INLINE static void Fill(float* values, int64_t begin, int64_t end, float value) {
    for (int64_t i = begin; i < end; ++i) values[i] = value;
  }

  // As in isa_avx2.cc.
  WINNOW_INLINE static Floats Exp(Floats y) {
    const Floats n = _mm512_roundscale_ps(Mul(y, Splat(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Floats r = _mm512_fnmadd_ps(n, Splat(-2.12194440e-4f), _mm512_fnmadd_ps(n, Splat(0.693359375f), y));
    Floats series = Splat(1.0f / 720);
    series = MulAdd(series, r, Splat(1.0f / 120));
    series = MulAdd(series, r, Splat(1.0f / 24));
    series = MulAdd(series, r, Splat(1.0f / 6));
    series = MulAdd(series, r, Splat(0.5f));
    series = MulAdd(series, r, Splat(1.0f));
    series = MulAdd(series, r, Splat(1.0f));
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(y, Splat(-87.0f), _CMP_GE_OQ), series, n);
  }

  WINNOW_INLINE static void Transpose(Floats* rows) {
    Floats pairs[16], quads[16], eights[16];
    WINNOW_UNROLL for (int i = 0; i < 8; ++i) {
      pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
      pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    // quads[4i + c]: columns c, c + 4, c + 8 and c + 12 of the rows 4i … 4i + 3.
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {
      WINNOW_UNROLL for (int c = 0; c < 4; ++c) {
        const Floats low = pairs[4 * i + c / 2], high = pairs[4 * i + 2 + c / 2];
        quads[4 * i + c] = c % 2 == 0 ? _mm512_shuffle_ps(low, high, 0x44) : _mm512_shuffle_ps(low, high, 0xee);
      }
    }
    // eights[4h + c]: rows 8h … 8h + 7, columns c and c + 8; eights[8 + 4h + c]: c + 4 and c + 12.
    WINNOW_UNROLL for (int half = 0; half < 2; ++half) {
      WINNOW_UNROLL for (int c = 0; c < 4; ++c) {
        const Floats low = quads[8 * half + c], high = quads[8 * half + 4 + c];
        eights[4 * half + c] = _mm512_shuffle_f32x4(low, high, 0x88);
        eights[8 + 4 * half + c] = _mm512_shuffle_f32x4(low, high, 0xdd);
      }
    }
    WINNOW_UNROLL for (int c = 0; c < 4; ++c) {
      rows[c] = _mm512_shuffle_f32x4(eights[c], eights[4 + c], 0x88);
      rows[c + 8] = _mm512_shuffle_f32x4(eights[c], eights[4 + c], 0xdd);
      rows[c + 4] = _mm512_shuffle_f32x4(eights[8 + c], eights[12 + c], 0x88);
      rows[c + 12] = _mm512_shuffle_f32x4(eights[8 + c], eights[12 + c], 0xdd);
    }
  }

  WINNOW_INLINE static uint32_t NotMinusInfinity(const uint16_t* mask) {
    return _mm512_cmpneq_epi16_mask(_mm512_loadu_si512(mask), _mm512_set1_epi16(static_cast<int16_t>(0xfc00)));
  }

  WINNOW_INLINE static Bytes LoadBytes(const uint8_t* at) { return _mm512_loadu_si512(at); }
  WINNOW_INLINE static void StoreBytes(uint8_t* at, Bytes bytes) { _mm512_storeu_si512(at, bytes); }
  WINNOW_INLINE static Bytes Or(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  WINNOW_INLINE static Bytes Nibbles(Bytes bytes, bool high) {
    return _mm512_and_si512(high ? _mm512_srli_epi16(bytes, 4) : bytes, _mm512_set1_epi8(15));
  }
  template <int Count>
  WINNOW_INLINE static Bytes MoveBits(Bytes bytes, int bit) {
    const Bytes moved = bit < 4 ? _mm512_slli_epi16(bytes, 4 - bit) : _mm512_srli_epi16(bytes, bit - 4);
    return _mm512_and_si512(moved, _mm512_set1_epi8(((1 << Count) - 1) << 4));
  }
  WINNOW_INLINE static Bytes Repeat(const int32_t* lane) { return _mm512_set1_epi32(*lane); }

  WINNOW_INLINE static int SumOfPair(int32_t pair) { return static_cast<int16_t>(pair & 0xffff) + (pair >> 16); }
  WINNOW_INLINE static Sums Offset(const int32_t* whole, const int32_t* first, int group, int offset) {
    if (offset == 0) return _mm512_setzero_si512();
    const int all = SumOfPair(*whole), half = SumOfPair(*first);
    return _mm512_set1_epi32(-offset * (group < 0 ? all : group == 0 ? half : all - half));
  }
  WINNOW_INLINE static Sums AddDot(Sums sums, Bytes weights, Bytes activations) {
    return _mm512_dpbusd_epi32(sums, weights, activations);
  }
  WINNOW_INLINE static Floats Scaled(Sums sums, Scales scales) { return Mul(_mm512_cvtepi32_ps(sums), scales); }
  WINNOW_INLINE static Scales WidenScales(const uint8_t* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))));
  }
  WINNOW_INLINE static Scales LoadScales(const uint8_t* at) { return _mm512_loadu_ps(at); }
  WINNOW_INLINE static void StoreScales(uint8_t* at, Scales scales) { _mm512_storeu_ps(at, scales); }

  template <size_t Size>
  WINNOW_INLINE static void Prefetch(const uint8_t* at) {
    WINNOW_UNROLL for (size_t i = 0; i < Size; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(at + i), _MM_HINT_T0);
    }
  }

  WINNOW_INLINE static float QuantizeBlock(const float* x, int8_t* q) {
    const Floats low = LoadFloats(x), high = LoadFloats(x + 16);
    const float top = LargestLane(Max(_mm512_abs_ps(low), _mm512_abs_ps(high)));
    const Floats inverse = Splat(top > 0 ? 127.0f / top : 0.0f);
    auto* at = reinterpret_cast<__m128i*>(q);
    _mm_store_si128(at, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(Mul(low, inverse))));
    _mm_store_si128(at + 1, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(Mul(high, inverse))));
    return top;
  }
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

extern const Kernels kAvx512Kernels = {"avx512", QuantizeRow, Gemm, FloatGemm, Attention, ScanMask};

}  // namespace winnow::kernels

#endif
