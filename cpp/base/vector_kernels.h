#pragma once

#include <cstddef>

#include "base/span.h"

namespace winnow::vector_math {

// The functions of vector_math.h for one instruction set.
struct Kernels {
  const char* name;
  float (*max)(const float* values, size_t size);
  bool (*block_maxima)(const float* values, size_t size, float* maxima);
  size_t (*find_first)(const float* values, size_t size, float value);
  void (*exp)(const float* values, size_t size, float shift, float scale, float* out);
  double (*sum_exp)(const float* values, size_t size, float shift, float scale, double* block_sums);
};

// What this CPU can run; the last is the one in use. Tests compare them.
Span<const Kernels> SupportedKernels();

}  // namespace winnow::vector_math
