#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/ops/step_context.h"
#include "ggml-cpu-impl.h"

// How the threads of an operation share its work.
namespace winnow {

inline ThreadRange ThreadOf(const ggml_compute_params* params) {
  return {params->ith, params->nth, params->threadpool};
}

inline const kernels::Kernels& KernelsOf(const StepContext* context) {
  return context != nullptr ? context->kernels() : *kernels::SupportedKernels().back();
}

// The work buffer of an operation, at a cache line: ask for 64 bytes more than are used.
inline char* WorkOf(const ggml_compute_params* params) {
  return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(params->wdata) + 63) & ~static_cast<uintptr_t>(63));
}

// Calls `part(first, last)` for stretches of `count` until all are taken, about `parts` of them per thread. Without a
// context, every thread has its fixed share. Goes with one BeginDeal.
template <class Part>
void Share(const ThreadRange& thread, StepContext* context, int64_t count, int64_t parts, Part&& part) {
  if (context == nullptr) return part(count * thread.index / thread.count, count * (thread.index + 1) / thread.count);
  const int64_t all = parts * thread.count, step = std::max<int64_t>(1, (count + all - 1) / all);
  for (int64_t i; (i = context->Deal(thread, step, count)) >= 0;) part(i, std::min(i + step, count));
}

// Few rows: memory sets the pace, and long stretches of it are read best.
inline int64_t PartsFor(int64_t rows) { return rows <= 8 ? 2 : 8; }

}  // namespace winnow
