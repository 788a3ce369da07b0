#pragma once

#include <cstdint>
#include <cstring>

// 16-bit floats without hardware support, for code that runs once per weight.
namespace winnow::kernels {

inline float FloatOfBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t BitsOfFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float FloatOfHalf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return FloatOfBits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude < 0x0400) {  // Subnormal: units of 2^-24.
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return FloatOfBits(sign | ((magnitude << 13) + (112u << 23)));
}

// Rounds to the nearest, ties to even; too large becomes infinity.
inline uint16_t HalfOfFloat(float value) {
  const uint32_t bits = BitsOfFloat(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {  // Adding 0.5 leaves units of 2^-24 in the last bits, rounded by the hardware.
    return sign | static_cast<uint16_t>(BitsOfFloat(FloatOfBits(magnitude) + 0.5f) - BitsOfFloat(0.5f));
  }
  const uint32_t rounded = magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1);
  return sign | static_cast<uint16_t>(rounded >> 13);
}

inline float FloatOfBrain(uint16_t brain) { return FloatOfBits(static_cast<uint32_t>(brain) << 16); }

}  // namespace winnow::kernels
