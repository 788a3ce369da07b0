#include "backend/engine_sizes.h"

#include <algorithm>

namespace winnow {
namespace {

constexpr int kDefaultCacheTokens = 16384;
constexpr int kMaxStepOutputs = 256;  // Rows of logits kept at once: 50 MB with a vocabulary of 49,152.

int RoundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

ggml_type TypeOf(const std::string& cache_type) {
  if (cache_type == "f32") return GGML_TYPE_F32;
  if (cache_type == "bf16") return GGML_TYPE_BF16;
  if (cache_type == "q8_0") return GGML_TYPE_Q8_0;
  return GGML_TYPE_F16;
}

int CacheTokensFor(const ModelOptions& options, int context_size) {
  int cache_tokens = options.cache_tokens > 0 ? options.cache_tokens : std::max(context_size, kDefaultCacheTokens);
  return RoundUp(cache_tokens, 256);  // llama.cpp pads it so.
}

int StepOutputsFor(const ModelOptions& options) { return std::min(options.max_step_tokens, kMaxStepOutputs); }

}  // namespace winnow
