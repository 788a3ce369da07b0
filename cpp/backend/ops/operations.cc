#include "backend/ops/operations.h"

#include <cstring>

#include "backend/ops/step_context.h"
#include "backend/ops/tensor_rows.h"
#include "backend/ops/weight_buffer.h"
#include "ggml-cpu-impl.h"

namespace winnow {
namespace {

// Rows of a packed embedding.
class GetRows : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor*, size_t& size) override {
    size = 0;
    return true;
  }

  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    const ggml_tensor *weight = op->src[0], *ids = op->src[1];
    const kernels::WeightType type = *WeightTypeOf(weight);
    for (int64_t i = params->ith; i < ggml_nelements(ids); i += params->nth) {
      const auto id = *reinterpret_cast<const int32_t*>(reinterpret_cast<const char*>(RowOf(ids, i / ids->ne[0])) +
                                                        i % ids->ne[0] * ids->nb[0]);
      kernels::UnpackColumn(type, weight->data, weight->ne[0], weight->ne[1], id, const_cast<float*>(RowOf(op, i)));
    }
    return true;
  }
};

// Looks on when keys are written to the cache: which cells the step's rows get.
class WatchCells : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor*, size_t&) override { return false; }

  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    const ggml_tensor* indices = op->src[1];
    if (params->ith != 0 || indices->type != GGML_TYPE_I64 || op->view_src == nullptr) return false;
    if (std::strncmp(op->view_src->name, "cache_k", 7) != 0) return false;
    if (StepContext* context = StepContext::Find(params->threadpool)) {
      context->NoteCells(op->view_src->data,
                         {static_cast<const int64_t*>(indices->data), static_cast<size_t>(ggml_nelements(indices))});
    }
    return false;
  }
};

// Looks on when ggml multiplies weights that we don't.
class WatchForeign : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor*, size_t&) override { return false; }

  bool compute_forward(ggml_compute_params* params, ggml_tensor*) override {
    if (StepContext* context = StepContext::Find(params->threadpool)) context->NoteForeign();
    return false;
  }
};

}  // namespace

ggml::cpu::tensor_traits* OperationFor(const ggml_tensor* op) {
  static GetRows get_rows;
  static WatchCells watch_cells;
  static WatchForeign watch_foreign;
  switch (op->op) {
    case GGML_OP_MUL_MAT:
      return IsPacked(op->src[0]) ? MatMulOperation() : &watch_foreign;
    case GGML_OP_MUL_MAT_ID:
      return IsPacked(op->src[0]) ? MatMulIdOperation() : &watch_foreign;
    case GGML_OP_GET_ROWS:
      return IsPacked(op->src[0]) ? &get_rows : nullptr;
    case GGML_OP_FLASH_ATTN_EXT:
      return FlashAttentionOperation();
    case GGML_OP_SET_ROWS:
      return &watch_cells;
    default:
      return nullptr;
  }
}

}  // namespace winnow
