// No instruction set in particular: what the others are tested against, and what runs where none of them does.
#include <cmath>

#undef WINNOW_NO_UNROLL
#define WINNOW_NO_UNROLL  // For reading, not for speed.

#include "kernels/half.h"
#include "kernels/isa.h"

namespace winnow::kernels {
namespace {

struct Simd {
  static constexpr int kLanes = 8;
  static constexpr int kTileRows = 4;
  template <class T, int kCount>
  struct Lanes {
    T lane[kCount];
  };
  using Floats = Lanes<float, kLanes>;
  using Bytes = Lanes<uint8_t, 4 * kLanes>;
  using Sums = Lanes<int32_t, kLanes>;
  using Scales = Lanes<float, kLanes>;

  template <class Each>
  WINNOW_INLINE static Floats EachLane(Each each) {
    Floats result;
    for (int i = 0; i < kLanes; ++i) result.lane[i] = each(i);
    return result;
  }
  template <class Each>
  WINNOW_INLINE static Bytes EachByte(Each each) {
    Bytes result;
    for (int i = 0; i < 4 * kLanes; ++i) result.lane[i] = static_cast<uint8_t>(each(i));
    return result;
  }

  static Floats LoadFloats(const float* at) {
    return EachLane([&](int i) { return at[i]; });
  }
  static void StoreFloats(float* at, Floats values) { std::memcpy(at, values.lane, sizeof values.lane); }
  static Floats Splat(float value) {
    return EachLane([&](int) { return value; });
  }
  static Floats Add(Floats a, Floats b) {
    return EachLane([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Floats Sub(Floats a, Floats b) {
    return EachLane([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Floats Mul(Floats a, Floats b) {
    return EachLane([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Floats MulAdd(Floats a, Floats b, Floats c) {
    return EachLane([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
  }
  static Floats MulAddInOrder(Floats a, Floats b, Floats c) { return MulAdd(a, b, c); }
  static Floats Max(Floats a, Floats b) {
    return EachLane([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  static Floats LoadHalves(const uint8_t* at) {
    return EachLane([&](int i) { return FloatOfHalf(static_cast<uint16_t>(at[2 * i] | at[2 * i + 1] << 8)); });
  }
  static Floats LoadBrains(const uint8_t* at) {
    return EachLane([&](int i) { return FloatOfBrain(static_cast<uint16_t>(at[2 * i] | at[2 * i + 1] << 8)); });
  }
  static float FirstLane(Floats values) { return values.lane[0]; }
  static float SumOfLanes(Floats values) {
    float sum = 0;
    for (float value : values.lane) sum += value;
    return sum;
  }
  static float LargestLane(Floats values) {
    float largest = values.lane[0];
    for (float value : values.lane) largest = Larger(largest, value);
    return largest;
  }
  static void Fill(float* values, int64_t begin, int64_t end, float value) {
    for (int64_t i = begin; i < end; ++i) values[i] = value;
  }
  static Floats Exp(Floats y) {
    return EachLane([&](int i) { return y.lane[i] >= -87.0f ? std::exp(y.lane[i]) : 0.0f; });
  }
  static void Transpose(Floats* rows) {
    for (int i = 0; i < kLanes; ++i) {
      for (int j = 0; j < i; ++j) {
        const float value = rows[i].lane[j];
        rows[i].lane[j] = rows[j].lane[i];
        rows[j].lane[i] = value;
      }
    }
  }
  static uint32_t NotMinusInfinity(const uint16_t* mask) {
    uint32_t seen = 0;
    for (int i = 0; i < 32; ++i) seen |= static_cast<uint32_t>(mask[i] != 0xfc00) << i;
    return seen;
  }

  static Bytes LoadBytes(const uint8_t* at) {
    return EachByte([&](int i) { return at[i]; });
  }
  static void StoreBytes(uint8_t* at, Bytes bytes) { std::memcpy(at, bytes.lane, sizeof bytes.lane); }
  static Bytes Or(Bytes a, Bytes b) {
    return EachByte([&](int i) { return a.lane[i] | b.lane[i]; });
  }
  static Bytes Nibbles(Bytes bytes, bool high) {
    return EachByte([&](int i) { return high ? bytes.lane[i] >> 4 : bytes.lane[i] & 15; });
  }
  template <int Count>
  static Bytes MoveBits(Bytes bytes, int bit) {
    return EachByte([&](int i) { return (bytes.lane[i] >> bit & ((1 << Count) - 1)) << 4; });
  }
  static Bytes Repeat(const int32_t* lane) {
    return EachByte([&](int i) { return reinterpret_cast<const uint8_t*>(lane)[i % 4]; });
  }
  static int SumOfPair(int32_t pair) { return static_cast<int16_t>(pair & 0xffff) + static_cast<int16_t>(pair >> 16); }
  static Sums Offset(const int32_t* whole, const int32_t* first, int group, int offset) {
    const int all = SumOfPair(*whole), half = SumOfPair(*first);
    const int sum = group < 0 ? all : group == 0 ? half : all - half;
    Sums result;
    for (int32_t& lane : result.lane) lane = -offset * sum;
    return result;
  }
  static Sums AddDot(Sums sums, Bytes weights, Bytes activations) {
    for (int i = 0; i < 4 * kLanes; ++i) {
      sums.lane[i / 4] += weights.lane[i] * static_cast<int8_t>(activations.lane[i]);
    }
    return sums;
  }
  static Floats Scaled(Sums sums, Scales scales) {
    return EachLane([&](int i) { return static_cast<float>(sums.lane[i]) * scales.lane[i]; });
  }
  static Scales WidenScales(const uint8_t* at) {
    return EachLane([&](int i) { return static_cast<float>(static_cast<int16_t>(at[2 * i] | at[2 * i + 1] << 8)); });
  }
  static Scales LoadScales(const uint8_t* at) { return LoadFloats(reinterpret_cast<const float*>(at)); }
  static void StoreScales(uint8_t* at, Scales scales) { StoreFloats(reinterpret_cast<float*>(at), scales); }
  template <size_t Size>
  static void Prefetch(const uint8_t*) {}
  static float QuantizeBlock(const float* x, int8_t* q) {
    float top = 0;
    for (int i = 0; i < kBlockSize; ++i) top = Larger(top, std::fabs(x[i]));
    const float inverse = top > 0 ? 127.0f / top : 0.0f;
    for (int i = 0; i < kBlockSize; ++i) q[i] = static_cast<int8_t>(Clamp(std::lrintf(x[i] * inverse), -128, 127));
    return top;
  }
  static void SumPairs(const int8_t* q, int32_t* whole, int32_t* first) {
    int sums[2][2] = {};  // [half of the block][pair of a lane]
    for (int i = 0; i < kBlockSize; ++i) sums[i / 16][i % 4 / 2] += q[i];
    *first = (sums[0][0] & 0xffff) | sums[0][1] * 65536;
    *whole = ((sums[0][0] + sums[1][0]) & 0xffff) | (sums[0][1] + sums[1][1]) * 65536;
  }
};

#include "kernels/attention.inc"
#include "kernels/float_gemm.inc"
#include "kernels/gemm.inc"
#include "kernels/quantize.inc"

}  // namespace

extern const Kernels kPortableKernels = {"portable", QuantizeRow, Gemm, FloatGemm, Attention, ScanMask};

}  // namespace winnow::kernels
