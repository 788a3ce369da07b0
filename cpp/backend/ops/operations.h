#pragma once

#include "traits.h"

// What computes an operation of a graph in ggml's place, or only looks on. All are stateless: what they keep is in the
// StepContext of their thread pool.
namespace winnow {

// Null where we have no business.
ggml::cpu::tensor_traits* OperationFor(const ggml_tensor* op);

ggml::cpu::tensor_traits* MatMulOperation();
ggml::cpu::tensor_traits* MatMulIdOperation();
ggml::cpu::tensor_traits* FlashAttentionOperation();

}  // namespace winnow
