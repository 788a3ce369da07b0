#include "backend/ops/operations.h"
#include "backend/ops/sharing.h"
#include "backend/ops/tensor_rows.h"
#include "backend/ops/weight_buffer.h"

namespace winnow {
namespace {

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
  static void Multiply(ggml_compute_params* params, StepContext* context, kernels::WeightType type, ggml_tensor* op) {
    const ThreadRange thread = ThreadOf(params);
    const ggml_tensor *weight = op->src[0], *x = op->src[1];
    const kernels::ActivationBlock* activations = context != nullptr ? context->Quantize(thread, x) : nullptr;
    if (activations == nullptr) {
      auto* work = reinterpret_cast<kernels::ActivationBlock*>(WorkOf(params));
      QuantizeGroups(KernelsOf(context), thread, x, work);
      ggml_barrier(thread.pool);
      activations = work;
    }
    const int64_t rows = ggml_nrows(x), columns = weight->ne[1];
    Share(thread, context, kernels::NumTiles(columns), PartsFor(rows), [&](int64_t first, int64_t last) {
      KernelsOf(context).gemm({type, weight->data, activations, weight->ne[0], columns, rows, first, last,
                               static_cast<float*>(op->data), columns});
    });
  }

  static void MultiplyFloats(ggml_compute_params* params, StepContext* context, kernels::WeightType type,
                             ggml_tensor* op) {
    const ThreadRange thread = ThreadOf(params);
    const ggml_tensor *weight = op->src[0], *x = op->src[1];
    const int64_t columns = weight->ne[1], slice = x->ne[1], slices = x->ne[2] * x->ne[3];
    Share(thread, context, kernels::NumTiles(columns), PartsFor(slice), [&](int64_t first, int64_t last) {
      for (int64_t i = 0; i < slices; ++i) {
        KernelsOf(context).float_gemm({type, weight->data, RowOf(x, i * slice),
                                       static_cast<int64_t>(x->nb[1] / sizeof(float)), weight->ne[0], columns, slice,
                                       first, last, static_cast<float*>(op->data) + i * slice * columns, columns});
      }
    });
  }
};

}  // namespace

ggml::cpu::tensor_traits* MatMulOperation() {
  static MatMul operation;
  return &operation;
}

}  // namespace winnow
