#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/kernels.h"

// What every instruction set's file has in common. Everything here is inlined or of internal linkage: a function that
// is compiled for one processor must not be linked into the code of another.
#if defined(__GNUC__)
#define WINNOW_INLINE inline __attribute__((always_inline))
#if defined(WINNOW_NO_UNROLL)  // Of the code that is for reading, not for speed.
#define WINNOW_UNROLL
#else
#define WINNOW_UNROLL _Pragma("GCC unroll 16")
#endif
// Keeps GCC from computing all products of a tile before their sums, for which it has too few registers.
#if defined(__x86_64__)
#define WINNOW_KEEP_ORDER(value) asm("" : "+x"(value))
#endif
#else
#define WINNOW_INLINE inline
#define WINNOW_UNROLL
#define WINNOW_KEEP_ORDER(value)
#endif

namespace winnow::kernels {
namespace {

template <class T>
WINNOW_INLINE constexpr T Smaller(T a, T b) {
  return a < b ? a : b;
}
template <class T>
WINNOW_INLINE T Larger(T a, T b) {
  return a > b ? a : b;
}
WINNOW_INLINE int64_t Clamp(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}
WINNOW_INLINE void SetZero(float* values, int64_t count) { std::memset(values, 0, count * sizeof(float)); }
WINNOW_INLINE bool SameBeginning(const int32_t* a, const int32_t* b, int64_t count) {
  return a == b || std::memcmp(a, b, count * sizeof(int32_t)) == 0;
}
WINNOW_INLINE int LowestBit(uint32_t bits) {
#if defined(__GNUC__)
  return __builtin_ctz(bits);
#else
  int bit = 0;
  while ((bits >> bit & 1) == 0) ++bit;
  return bit;
#endif
}

}  // namespace
}  // namespace winnow::kernels
