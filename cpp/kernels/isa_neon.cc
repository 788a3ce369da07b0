// Compiled for ARMv8.2 with the dot product extension; the same rules as in isa_avx2.cc.
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)

#include <arm_neon.h>

#include "kernels/isa.h"

namespace winnow::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 4;
  static constexpr int kTileRows = 4;
  using Floats = float32x4_t;
  using Bytes = uint8x16_t;
  using Sums = int32x4_t;
  using Scales = float32x4_t;

  WINNOW_INLINE static Floats LoadFloats(const float* at) { return vld1q_f32(at); }
  WINNOW_INLINE static void StoreFloats(float* at, Floats values) { vst1q_f32(at, values); }
  WINNOW_INLINE static Floats Splat(float value) { return vdupq_n_f32(value); }
  WINNOW_INLINE static Floats Add(Floats a, Floats b) { return vaddq_f32(a, b); }
  WINNOW_INLINE static Floats Sub(Floats a, Floats b) { return vsubq_f32(a, b); }
  WINNOW_INLINE static Floats Mul(Floats a, Floats b) { return vmulq_f32(a, b); }
  WINNOW_INLINE static Floats MulAdd(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
  WINNOW_INLINE static Floats MulAddInOrder(Floats a, Floats b, Floats c) { return MulAdd(a, b, c); }
  WINNOW_INLINE static Floats Max(Floats a, Floats b) { return vmaxq_f32(a, b); }
  WINNOW_INLINE static Floats LoadHalves(const uint8_t* at) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(at))); }
  WINNOW_INLINE static Floats LoadBrains(const uint8_t* at) {
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(at)), 16));
  }
  WINNOW_INLINE static float FirstLane(Floats values) { return vgetq_lane_f32(values, 0); }
  WINNOW_INLINE static float SumOfLanes(Floats values) { return vaddvq_f32(values); }
  WINNOW_INLINE static float LargestLane(Floats values) { return vmaxvq_f32(values); }
  WINNOW_INLINE static void Fill(float* values, int64_t begin, int64_t end, float value) {
    for (int64_t i = begin; i < end; ++i) values[i] = value;
  }

  // As in isa_avx2.cc.
  WINNOW_INLINE static Floats Exp(Floats y) {
    const Floats n = vrndnq_f32(Mul(y, Splat(1.44269504f)));
    const Floats r = vfmsq_f32(vfmsq_f32(y, n, Splat(0.693359375f)), n, Splat(-2.12194440e-4f));
    Floats series = Splat(1.0f / 720);
    series = MulAdd(series, r, Splat(1.0f / 120));
    series = MulAdd(series, r, Splat(1.0f / 24));
    series = MulAdd(series, r, Splat(1.0f / 6));
    series = MulAdd(series, r, Splat(0.5f));
    series = MulAdd(series, r, Splat(1.0f));
    series = MulAdd(series, r, Splat(1.0f));
    const int32x4_t power = vshlq_n_s32(vcvtq_s32_f32(n), 23);
    const uint32x4_t bits = vreinterpretq_u32_s32(vaddq_s32(vreinterpretq_s32_f32(series), power));
    return vreinterpretq_f32_u32(vandq_u32(bits, vcgeq_f32(y, Splat(-87.0f))));
  }

  WINNOW_INLINE static void Transpose(Floats* rows) {
    const float32x4x2_t upper = vtrnq_f32(rows[0], rows[1]), lower = vtrnq_f32(rows[2], rows[3]);
    rows[0] = vcombine_f32(vget_low_f32(upper.val[0]), vget_low_f32(lower.val[0]));
    rows[1] = vcombine_f32(vget_low_f32(upper.val[1]), vget_low_f32(lower.val[1]));
    rows[2] = vcombine_f32(vget_high_f32(upper.val[0]), vget_high_f32(lower.val[0]));
    rows[3] = vcombine_f32(vget_high_f32(upper.val[1]), vget_high_f32(lower.val[1]));
  }

  WINNOW_INLINE static uint32_t NotMinusInfinity(const uint16_t* mask) {
    static const uint16_t kBits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    uint32_t seen = 0;
    WINNOW_UNROLL for (int i = 0; i < 4; ++i) {
      const uint16x8_t differs = vmvnq_u16(vceqq_u16(vld1q_u16(mask + 8 * i), vdupq_n_u16(0xfc00)));
      seen |= static_cast<uint32_t>(vaddvq_u16(vandq_u16(differs, vld1q_u16(kBits)))) << 8 * i;
    }
    return seen;
  }

  WINNOW_INLINE static Bytes LoadBytes(const uint8_t* at) { return vld1q_u8(at); }
  WINNOW_INLINE static void StoreBytes(uint8_t* at, Bytes bytes) { vst1q_u8(at, bytes); }
  WINNOW_INLINE static Bytes Or(Bytes a, Bytes b) { return vorrq_u8(a, b); }
  WINNOW_INLINE static Bytes Nibbles(Bytes bytes, bool high) {
    return high ? vshrq_n_u8(bytes, 4) : vandq_u8(bytes, vdupq_n_u8(15));
  }
  template <int Count>
  WINNOW_INLINE static Bytes MoveBits(Bytes bytes, int bit) {
    return vandq_u8(vshlq_u8(bytes, vdupq_n_s8(static_cast<int8_t>(4 - bit))), vdupq_n_u8(((1 << Count) - 1) << 4));
  }
  WINNOW_INLINE static Bytes Repeat(const int32_t* lane) { return vreinterpretq_u8_s32(vdupq_n_s32(*lane)); }

  WINNOW_INLINE static int SumOfPair(int32_t pair) { return static_cast<int16_t>(pair & 0xffff) + (pair >> 16); }
  WINNOW_INLINE static Sums Offset(const int32_t* whole, const int32_t* first, int group, int offset) {
    const int all = SumOfPair(*whole), half = SumOfPair(*first);
    return vdupq_n_s32(-offset * (group < 0 ? all : group == 0 ? half : all - half));
  }
  // Weights are below 64, so they are the same as signed bytes.
  WINNOW_INLINE static Sums AddDot(Sums sums, Bytes weights, Bytes activations) {
    return vdotq_s32(sums, vreinterpretq_s8_u8(weights), vreinterpretq_s8_u8(activations));
  }
  WINNOW_INLINE static Floats Scaled(Sums sums, Scales scales) { return Mul(vcvtq_f32_s32(sums), scales); }
  WINNOW_INLINE static Scales WidenScales(const uint8_t* at) {
    return vcvtq_f32_s32(vmovl_s16(vreinterpret_s16_u8(vld1_u8(at))));
  }
  WINNOW_INLINE static Scales LoadScales(const uint8_t* at) { return LoadFloats(reinterpret_cast<const float*>(at)); }
  WINNOW_INLINE static void StoreScales(uint8_t* at, Scales scales) {
    StoreFloats(reinterpret_cast<float*>(at), scales);
  }

  template <size_t Size>
  WINNOW_INLINE static void Prefetch(const uint8_t* at) {
    WINNOW_UNROLL for (size_t i = 0; i < Size; i += 64) __builtin_prefetch(at + i);
  }

  WINNOW_INLINE static float QuantizeBlock(const float* x, int8_t* q) {
    Floats largest = Splat(0.0f);
    for (int i = 0; i < kBlockSize; i += 4) largest = Max(largest, vabsq_f32(LoadFloats(x + i)));
    const float top = LargestLane(largest);
    const Floats inverse = Splat(top > 0 ? 127.0f / top : 0.0f);
    for (int i = 0; i < kBlockSize; i += 8) {
      const int16x4_t low = vqmovn_s32(vcvtnq_s32_f32(Mul(LoadFloats(x + i), inverse)));
      const int16x4_t high = vqmovn_s32(vcvtnq_s32_f32(Mul(LoadFloats(x + i + 4), inverse)));
      vst1_s8(q + i, vqmovn_s16(vcombine_s16(low, high)));
    }
    return top;
  }
  WINNOW_INLINE static void SumPairs(const int8_t* q, int32_t* whole, int32_t* first) {
    const int16x8_t low = vpaddlq_s8(vld1q_s8(q)), high = vpaddlq_s8(vld1q_s8(q + 16));
    *first = PairOf(low);
    *whole = PairOf(vaddq_s16(low, high));
  }

 private:
  // The sums of the even and of the odd ones of eight int16.
  WINNOW_INLINE static int32_t PairOf(int16x8_t sums) {
    int16x4_t half = vadd_s16(vget_low_s16(sums), vget_high_s16(sums));
    half = vadd_s16(half, vext_s16(half, half, 2));
    return vget_lane_s32(vreinterpret_s32_s16(half), 0);
  }
};

#include "kernels/attention.inc"
#include "kernels/float_gemm.inc"
#include "kernels/gemm.inc"
#include "kernels/quantize.inc"

}  // namespace

extern const Kernels kNeonKernels = {"neon", QuantizeRow, Gemm, FloatGemm, Attention, ScanMask};

}  // namespace winnow::kernels

#endif
