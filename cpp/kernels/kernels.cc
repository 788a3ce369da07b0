#include "kernels/kernels.h"

#include <cstring>
#include <vector>

#if defined(WINNOW_HAS_NEON_KERNELS) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace winnow::kernels {

extern const Kernels kPortableKernels;
#if defined(WINNOW_HAS_X86_KERNELS)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif
#if defined(WINNOW_HAS_NEON_KERNELS)
extern const Kernels kNeonKernels;
#endif

namespace {

std::vector<const Kernels*> FindSupported() {
  std::vector<const Kernels*> supported = {&kPortableKernels};
#if defined(WINNOW_HAS_X86_KERNELS)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    supported.push_back(&kAvx2Kernels);
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
    supported.push_back(&kAvx512Kernels);
  }
#endif
#if defined(WINNOW_HAS_NEON_KERNELS)
#if defined(__linux__)
  const bool has_dot_product = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  const bool has_dot_product = true;  // Every Apple processor with this instruction set.
#endif
  if (has_dot_product) supported.push_back(&kNeonKernels);
#endif
  return supported;
}

}  // namespace

Span<const Kernels* const> SupportedKernels() {
  static const std::vector<const Kernels*> supported = FindSupported();
  return {supported.data(), supported.size()};
}

const Kernels* FindKernels(const char* name) {
  for (const Kernels* kernels : SupportedKernels()) {
    if (std::strcmp(kernels->name, name) == 0) return kernels;
  }
  return nullptr;
}

}  // namespace winnow::kernels
