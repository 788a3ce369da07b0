#include "backend/ops/operations.h"

#include <algorithm>
#include <cstring>

#include "backend/ops/step_context.h"
#include "backend/ops/tensor_rows.h"
#include "backend/ops/weight_buffer.h"
#include "ggml-cpu-impl.h"

namespace winnow {
namespace {

ThreadRange ThreadOf(const ggml_compute_params* params) { return {params->ith, params->nth, params->threadpool}; }

const kernels::Kernels& KernelsOf(const StepContext* context) {
  return context != nullptr ? context->kernels() : *kernels::SupportedKernels().back();
}

// Packed weights times activations.
class MatMul : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor* op, size_t& size) override {
    size = kernels::ActivationBytes(ggml_nrows(op->src[1]), op->src[1]->ne[0]) + 64;
    return true;
  }

  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    const kernels::WeightType type = *WeightTypeOf(op->src[0]);
    StepContext* context = StepContext::Find(params->threadpool);
    if (context != nullptr) context->BeginDeal(ThreadOf(params));
    kernels::IsFloat(type) ? MultiplyFloats(params, context, type, op) : Multiply(params, context, type, op);
    return true;
  }

 private:
  // Calls `part(first, last)` for tiles until all are taken.
  template <class Part>
  static void DealTiles(const ThreadRange& thread, StepContext* context, int64_t tiles, int64_t rows, Part&& part) {
    if (context == nullptr) return part(tiles * thread.index / thread.count, tiles * (thread.index + 1) / thread.count);
    // Few rows: memory sets the pace, and long stretches of it are read best.
    const int64_t parts = thread.count * (rows <= 8 ? 2 : 8);
    const int64_t step = std::max<int64_t>(1, (tiles + parts - 1) / parts);
    for (int64_t tile; (tile = context->Deal(thread, step, tiles)) >= 0;) part(tile, std::min(tile + step, tiles));
  }

  static void Multiply(ggml_compute_params* params, StepContext* context, kernels::WeightType type, ggml_tensor* op) {
    const ThreadRange thread = ThreadOf(params);
    const ggml_tensor *weight = op->src[0], *x = op->src[1];
    const kernels::ActivationBlock* activations = context != nullptr ? context->Quantize(thread, x) : nullptr;
    if (activations == nullptr) {
      auto* work = reinterpret_cast<kernels::ActivationBlock*>((reinterpret_cast<uintptr_t>(params->wdata) + 63) & ~63);
      QuantizeGroups(KernelsOf(context), thread, x, work);
      ggml_barrier(thread.pool);
      activations = work;
    }
    const int64_t rows = ggml_nrows(x), columns = weight->ne[1];
    DealTiles(thread, context, kernels::NumTiles(columns), rows, [&](int64_t first, int64_t last) {
      KernelsOf(context).gemm({type, weight->data, activations, weight->ne[0], columns, rows, first, last,
                               static_cast<float*>(op->data), columns});
    });
  }

  static void MultiplyFloats(ggml_compute_params* params, StepContext* context, kernels::WeightType type,
                             ggml_tensor* op) {
    const ThreadRange thread = ThreadOf(params);
    const ggml_tensor *weight = op->src[0], *x = op->src[1];
    const int64_t columns = weight->ne[1], slice = x->ne[1], slices = x->ne[2] * x->ne[3];
    DealTiles(thread, context, kernels::NumTiles(columns), slice, [&](int64_t first, int64_t last) {
      for (int64_t i = 0; i < slices; ++i) {
        KernelsOf(context).float_gemm({type, weight->data, RowOf(x, i * slice),
                                       static_cast<int64_t>(x->nb[1] / sizeof(float)), weight->ne[0], columns, slice,
                                       first, last, static_cast<float*>(op->data) + i * slice * columns, columns});
      }
    });
  }
};

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

class FlashAttention : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor*, size_t&) override { return false; }

  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    StepContext* context = StepContext::Find(params->threadpool);
    if (context == nullptr) return false;
    const ThreadRange thread = ThreadOf(params);
    kernels::AttentionTask task;
    const kernels::VisibleCells* visible =
        Describe(op, &task) ? context->FindVisible(thread, op->src[1]->view_src->data, op->src[3]) : nullptr;
    if (visible == nullptr || visible->rows != op->src[0]->ne[1]) {
      context->NoteForeign();
      return false;
    }
    task.visible = *visible;
    task.scratch = context->AttentionScratch(thread.index);
    Run(thread, context, op, task);
    return true;
  }

 private:
  static bool CanRead(const ggml_tensor* cache, kernels::CacheType* type) {
    if (cache->type == GGML_TYPE_F16) *type = kernels::CacheType::kF16;
    if (cache->type == GGML_TYPE_BF16) *type = kernels::CacheType::kBF16;
    if (cache->type == GGML_TYPE_F32) *type = kernels::CacheType::kF32;
    return (cache->type == GGML_TYPE_F16 || cache->type == GGML_TYPE_BF16 || cache->type == GGML_TYPE_F32) &&
           cache->nb[0] == ggml_type_size(cache->type) && cache->ne[0] % 16 == 0 && cache->ne[3] == 1 &&
           cache->ne[0] <= kernels::kMaxHeadSize;
  }

  // What all parts of the operation have in common; false where ggml's kernel has to do it.
  static bool Describe(const ggml_tensor* op, kernels::AttentionTask* task) {
    const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2], *mask = op->src[3], *sinks = op->src[4];
    float params[3];  // scale, ALiBi's largest bias, soft cap
    std::memcpy(params, op->op_params, sizeof params);
    if (mask == nullptr || sinks != nullptr || params[1] != 0 || params[2] != 0 || k->view_src == nullptr) return false;
    if (q->type != GGML_TYPE_F32 || q->nb[0] != sizeof(float) || q->ne[3] != 1 || k->type != v->type) return false;
    if (mask->type != GGML_TYPE_F16 || mask->ne[2] != 1 || mask->ne[3] != 1) return false;
    if (k->ne[2] != v->ne[2] || q->ne[2] % k->ne[2] != 0 || q->ne[2] / k->ne[2] > kernels::kMaxTaskQueries)
      return false;
    if (!CanRead(k, &task->type) || !CanRead(v, &task->type)) return false;
    task->q_row_stride = q->nb[1];
    task->q_head_stride = q->nb[2];
    task->k_cell_stride = k->nb[1];
    task->v_cell_stride = v->nb[1];
    task->out_head_stride = op->nb[1];
    task->out_row_stride = op->nb[2];
    task->k_size = static_cast<int>(k->ne[0]);
    task->v_size = static_cast<int>(v->ne[0]);
    task->group = static_cast<int>(q->ne[2] / k->ne[2]);
    task->scale = params[0];
    return true;
  }

  static void RunPart(const ggml_tensor* op, kernels::AttentionTask task, const kernels::Kernels& kernels, int64_t head,
                      int64_t first_row, int64_t last_row) {
    const ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
    task.q = static_cast<const char*>(q->data) + head * task.group * task.q_head_stride;
    task.k = static_cast<const char*>(k->data) + head * k->nb[2];
    task.v = static_cast<const char*>(v->data) + head * v->nb[2];
    task.out = static_cast<char*>(op->data) + head * task.group * task.out_head_stride;
    task.first_row = first_row;
    task.last_row = last_row;
    kernels.attention(task);
  }

  // Few rows: whole KV heads, and what doesn't divide by the threads cut by rows. Many rows: pieces of rows, the last
  // ones first, since they see most.
  static void Run(const ThreadRange& thread, StepContext* context, const ggml_tensor* op,
                  const kernels::AttentionTask& task) {
    const int64_t rows = op->src[0]->ne[1], heads = op->src[1]->ne[2];
    const int64_t most = std::clamp<int64_t>(kernels::kMaxTaskQueries / task.group, 1, 64);
    const int64_t whole = rows <= most ? heads / thread.count * thread.count : 0;
    const int64_t pieces = std::max((rows + most - 1) / most, std::min<int64_t>(thread.count, rows));
    const int64_t cut = heads - whole;
    context->BeginDeal(thread);
    for (int64_t i; (i = context->Deal(thread, 1, whole + pieces * cut)) >= 0;) {
      if (i < whole) {
        RunPart(op, task, context->kernels(), i, 0, rows);
        continue;
      }
      const int64_t piece = pieces - 1 - (i - whole) / cut;
      RunPart(op, task, context->kernels(), whole + (i - whole) % cut, rows * piece / pieces,
              rows * (piece + 1) / pieces);
    }
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
  static MatMul mat_mul;
  static GetRows get_rows;
  static FlashAttention flash_attention;
  static WatchCells watch_cells;
  static WatchForeign watch_foreign;
  switch (op->op) {
    case GGML_OP_MUL_MAT:
      if (IsPacked(op->src[0])) return &mat_mul;
      return &watch_foreign;
    case GGML_OP_MUL_MAT_ID:
      return &watch_foreign;
    case GGML_OP_GET_ROWS:
      return IsPacked(op->src[0]) ? &get_rows : nullptr;
    case GGML_OP_FLASH_ATTN_EXT:
      return &flash_attention;
    case GGML_OP_SET_ROWS:
      return &watch_cells;
    default:
      return nullptr;
  }
}

}  // namespace winnow
