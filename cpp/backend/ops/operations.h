#pragma once

#include "traits.h"

namespace winnow {

// What computes an operation of a graph in ggml's place, or only looks on; null where we have no business. All are
// stateless: what they keep is in the StepContext of their thread pool.
ggml::cpu::tensor_traits* OperationFor(const ggml_tensor* op);

}  // namespace winnow
