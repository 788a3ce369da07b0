#include <algorithm>
#include <cstring>

#include "backend/ops/operations.h"
#include "backend/ops/sharing.h"
#include "backend/ops/tensor_rows.h"
#include "backend/ops/weight_buffer.h"

namespace winnow {
namespace {

int32_t ExpertOf(const ggml_tensor* ids, int64_t token, int64_t choice) {
  int32_t expert;
  std::memcpy(&expert, static_cast<const char*>(ids->data) + token * ids->nb[1] + choice * ids->nb[0], sizeof expert);
  return expert;
}

// Which rows go through which expert, in the work buffer: the same for all threads. A pair is a token and one of its
// choices; pairs are numbered token by token, as the rows of the result are.
struct Assignment {
  // Offsets into the work buffer; the activations of an expert begin at a group of rows of their own.
  static int64_t MaxGroups(const ggml_tensor* op) {
    return kernels::NumGroups(op->ne[1] * op->ne[2]) + op->src[0]->ne[2];
  }
  static size_t RowBytes(const ggml_tensor* op) {
    const int64_t k = op->src[0]->ne[0];
    return kernels::IsFloat(*WeightTypeOf(op->src[0])) ? k * sizeof(float) * kernels::kGroupRows
                                                       : kernels::ActivationBytes(kernels::kGroupRows, k);
  }
  static size_t WorkBytes(const ggml_tensor* op) {
    return MaxGroups(op) * (RowBytes(op) + kernels::kGroupRows * sizeof(int32_t)) +
           (op->src[0]->ne[2] * 2 + 1) * sizeof(int32_t) + 3 * 64;
  }

  Assignment(const ggml_tensor* op, char* work) {
    activations = work;
    pairs = reinterpret_cast<int32_t*>(work + MaxGroups(op) * RowBytes(op));
    first_groups = pairs + MaxGroups(op) * kernels::kGroupRows;
    counts = first_groups + op->src[0]->ne[2] + 1;
  }

  // One thread.
  void Fill(const ggml_tensor* op) {
    const ggml_tensor* ids = op->src[2];
    const int64_t experts = op->src[0]->ne[2], choices = ids->ne[0], tokens = ids->ne[1];
    std::fill_n(counts, experts, 0);
    for (int64_t pair = 0; pair < tokens * choices; ++pair) ++counts[ExpertOf(ids, pair / choices, pair % choices)];
    first_groups[0] = 0;
    for (int64_t e = 0; e < experts; ++e) {
      first_groups[e + 1] = first_groups[e] + static_cast<int32_t>(kernels::NumGroups(counts[e]));
      counts[e] = 0;
    }
    for (int64_t pair = 0; pair < tokens * choices; ++pair) {
      const int32_t e = ExpertOf(ids, pair / choices, pair % choices);
      pairs[first_groups[e] * kernels::kGroupRows + counts[e]++] = static_cast<int32_t>(pair);
    }
  }

  char* activations;      // [groups][RowBytes]
  int32_t* pairs;         // [groups · 8]: which pair each row is.
  int32_t* first_groups;  // [experts + 1]
  int32_t* counts;        // [experts]: rows.
};

// Packed weights of several experts; each token goes through those that were chosen for it.
class MatMulId : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor* op, size_t& size) override {
    size = Assignment::WorkBytes(op);
    return true;
  }

  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    const ThreadRange thread = ThreadOf(params);
    StepContext* context = StepContext::Find(params->threadpool);
    if (context != nullptr) context->BeginDeal(thread);
    Assignment assignment(op, WorkOf(params));
    if (thread.index == 0) assignment.Fill(op);
    ggml_barrier(thread.pool);
    for (int64_t e = 0; e < op->src[0]->ne[2]; ++e) Gather(thread, KernelsOf(context), op, assignment, e);
    ggml_barrier(thread.pool);
    const int64_t tiles = kernels::NumTiles(op->src[0]->ne[1]), experts = op->src[0]->ne[2];
    Share(thread, context, tiles * experts, 8, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last;) {  // Numbers go through the tiles of one expert, then of the next.
        const int64_t end = std::min(last, (i / tiles + 1) * tiles);
        Multiply(KernelsOf(context), op, assignment, i / tiles, i % tiles, end - i / tiles * tiles);
        i = end;
      }
    });
    return true;
  }

 private:
  // This thread's share of an expert's rows, quantized or copied.
  static void Gather(const ThreadRange& thread, const kernels::Kernels& kernels, const ggml_tensor* op,
                     const Assignment& assignment, int64_t expert) {
    const ggml_tensor* x = op->src[1];
    const int64_t k = x->ne[0], choices = op->ne[1], row_bytes = Assignment::RowBytes(op);
    const bool is_float = kernels::IsFloat(*WeightTypeOf(op->src[0]));
    const int64_t first = assignment.first_groups[expert] * kernels::kGroupRows;
    for (int64_t i = 0; i < assignment.counts[expert]; ++i) {
      const int64_t at = first + i, group = at / kernels::kGroupRows, in_group = at % kernels::kGroupRows;
      if (group % thread.count != thread.index) continue;
      const int64_t pair = assignment.pairs[at], token = pair / choices, choice = pair % choices;
      const float* row = RowOf(x, token * x->ne[1] + choice % x->ne[1]);
      char* to = assignment.activations + group * row_bytes;
      if (is_float) {
        std::memcpy(to + in_group * k * sizeof(float), row, k * sizeof(float));
      } else {
        kernels.quantize_row(row, k, static_cast<int>(in_group), reinterpret_cast<kernels::ActivationBlock*>(to));
      }
    }
  }

  static void Multiply(const kernels::Kernels& kernels, const ggml_tensor* op, const Assignment& assignment,
                       int64_t expert, int64_t first_tile, int64_t last_tile) {
    const ggml_tensor* weight = op->src[0];
    const kernels::WeightType type = *WeightTypeOf(weight);
    const int64_t k = weight->ne[0], columns = weight->ne[1], rows = assignment.counts[expert];
    if (rows == 0) return;
    const void* packed = static_cast<const char*>(weight->data) + expert * kernels::PackedBytes(type, k, columns);
    const char* x = assignment.activations + assignment.first_groups[expert] * Assignment::RowBytes(op);
    const int32_t* pairs = assignment.pairs + assignment.first_groups[expert] * kernels::kGroupRows;
    auto* out = static_cast<float*>(op->data);
    if (kernels::IsFloat(type)) {
      kernels.float_gemm({type, packed, reinterpret_cast<const float*>(x), k, k, columns, rows, first_tile, last_tile,
                          out, columns, pairs});
    } else {
      kernels.gemm({type, packed, reinterpret_cast<const kernels::ActivationBlock*>(x), k, columns, rows, first_tile,
                    last_tile, out, columns, pairs});
    }
  }
};

}  // namespace

ggml::cpu::tensor_traits* MatMulIdOperation() {
  static MatMulId operation;
  return &operation;
}

}  // namespace winnow
