#pragma once

#include "backend/backend.h"
#include "ggml.h"

// Sizes that the options leave to us, for the engine and for who estimates its memory.
namespace winnow {

ggml_type TypeOf(const std::string& cache_type);

// Cells of the KV cache for a context of `context_size` tokens.
int CacheTokensFor(const ModelOptions& options, int context_size);

// Rows of logits that one step can keep.
int StepOutputsFor(const ModelOptions& options);

}  // namespace winnow
