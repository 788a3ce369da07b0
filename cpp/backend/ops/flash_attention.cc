#include <algorithm>
#include <cstring>

#include "backend/ops/operations.h"
#include "backend/ops/sharing.h"

namespace winnow {
namespace {

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

}  // namespace

ggml::cpu::tensor_traits* FlashAttentionOperation() {
  static FlashAttention operation;
  return &operation;
}

}  // namespace winnow
