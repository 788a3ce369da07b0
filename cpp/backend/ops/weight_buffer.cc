#include "backend/ops/weight_buffer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <future>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "backend/ops/operations.h"
#include "ggml-backend-impl.h"
#include "ggml-cpu.h"
#include "traits.h"

namespace winnow {
namespace {

constexpr int64_t kTilesPerThread = 64;  // Less is not worth a thread.

thread_local bool packs_weights = false;
std::atomic<int> max_inputs{kernels::kBlockSize};

const char* NameOf(ggml_backend_buffer_type_t) { return "Winnow"; }
size_t AlignmentOf(ggml_backend_buffer_type_t) { return 64; }
size_t AllocSizeOf(ggml_backend_buffer_type_t, const ggml_tensor* tensor) {
  const auto type = WeightTypeOf(tensor);
  return type ? kernels::PackedBytes(*type, tensor->ne[0], tensor->ne[1]) * tensor->ne[2] : ggml_nbytes(tensor);
}

ggml_status InitTensor(ggml_backend_buffer_t, ggml_tensor*) { return GGML_STATUS_SUCCESS; }

void PackMatrix(kernels::WeightType type, const void* data, int64_t k, int64_t columns, void* packed) {
  const int64_t tiles = kernels::NumTiles(columns), wanted = std::max<int64_t>(1, tiles / kTilesPerThread);
  const int64_t threads = std::min<int64_t>(wanted, std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::future<void>> parts;
  for (int64_t i = 0; i < threads; ++i) {
    parts.push_back(std::async(std::launch::async, [=] {
      kernels::PackTiles(type, data, k, columns, tiles * i / threads, tiles * (i + 1) / threads, packed);
    }));
  }
  for (std::future<void>& part : parts) part.get();
}

// The whole tensor at once, as the loader does it; the matrices of several experts follow each other.
void SetTensor(ggml_backend_buffer_t, ggml_tensor* tensor, const void* data, size_t, size_t) {
  const kernels::WeightType type = *WeightTypeOf(tensor);
  const int64_t k = tensor->ne[0], columns = tensor->ne[1];
  for (int64_t i = 0; i < tensor->ne[2]; ++i) {
    PackMatrix(type, static_cast<const char*>(data) + i * tensor->nb[2], k, columns,
               static_cast<char*>(tensor->data) + i * kernels::PackedBytes(type, k, columns));
  }
  for (int seen = max_inputs; seen < k && !max_inputs.compare_exchange_weak(seen, static_cast<int>(k));) {
  }
}

ggml_backend_buffer_type_t BufferType();

ggml_backend_buffer_t AllocBuffer(ggml_backend_buffer_type_t, size_t size) {
  ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
  if (buffer == nullptr) return nullptr;
  buffer->buft = BufferType();
  buffer->iface.init_tensor = InitTensor;
  buffer->iface.set_tensor = SetTensor;
  buffer->iface.memset_tensor = nullptr;
  buffer->iface.get_tensor = nullptr;
  buffer->iface.cpy_tensor = nullptr;
  return buffer;
}

// Weights that llama.cpp's graphs use as a whole, in the operation that the loader asks about. Others may be reshaped
// or viewed, which packed bytes don't survive.
bool IsUsedWhole(const ggml_tensor* weight) {
  static constexpr std::string_view kParts[] = {
      "attn_q",   "attn_k",        "attn_v",      "attn_qkv",      "attn_output",  "ffn_gate", "ffn_up",
      "ffn_down", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps", "ffn_gate_inp", "output",   "token_embd"};
  std::string_view name = ggml_get_name(weight);
  constexpr std::string_view kSuffix = ".weight";
  if (name.size() <= kSuffix.size() || name.substr(name.size() - kSuffix.size()) != kSuffix) return false;
  name.remove_suffix(kSuffix.size());
  if (name.substr(0, 4) == "blk.") name.remove_prefix(std::min(name.size(), name.find('.', 4) + 1));
  return std::find(std::begin(kParts), std::end(kParts), name) != std::end(kParts);
}

bool CanPackTensor(const ggml_tensor* weight) {
  const auto type = WeightTypeOf(weight);
  return type && ggml_n_dims(weight) >= 2 && weight->ne[3] == 1 && ggml_is_contiguous(weight) &&
         kernels::CanPack(*type, weight->ne[0]);
}

class Extension : public ggml::cpu::extra_buffer_type {
 public:
  bool supports_op(ggml_backend_dev_t, const ggml_tensor* op) override {
    const ggml_tensor* weight = op->src[0];
    if (weight == nullptr || op->src[1] == nullptr || !IsPacked(weight) || weight->view_src != nullptr ||
        !CanPackTensor(weight))
      return false;
    // An empty buffer: the loader asks where the weight should go.
    if (weight->buffer->size == 0 && !(packs_weights && IsUsedWhole(weight))) return false;
    const bool is_matrix = ggml_n_dims(weight) == 2;
    const bool reads_floats = op->src[1]->type == GGML_TYPE_F32 && op->src[1]->nb[0] == sizeof(float);
    if (op->op == GGML_OP_MUL_MAT) return is_matrix && reads_floats;
    if (op->op == GGML_OP_MUL_MAT_ID) return reads_floats;
    return op->op == GGML_OP_GET_ROWS && is_matrix && op->src[1]->type == GGML_TYPE_I32;
  }
  ggml::cpu::tensor_traits* get_tensor_traits(const ggml_tensor* op) override { return OperationFor(op); }
};

ggml_backend_buffer_type_t BufferType() {
  static Extension extension;
  static ggml_backend_buffer_type type = {{NameOf, AllocBuffer, AlignmentOf, nullptr, AllocSizeOf, nullptr},
                                          ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0),
                                          &extension};
  return &type;
}

}  // namespace

void InstallOperations() {
  static std::once_flag once;
  std::call_once(once, [] {
    auto& types = ggml_backend_cpu_get_extra_buffer_types();
    types.insert(types.begin(), BufferType());  // The first that takes a weight gets it.
  });
}

PackWeights::PackWeights(bool is_enabled) : before_(packs_weights) { packs_weights = is_enabled; }
PackWeights::~PackWeights() { packs_weights = before_; }

std::optional<kernels::WeightType> WeightTypeOf(const ggml_tensor* tensor) {
  using kernels::WeightType;
  switch (tensor->type) {
    case GGML_TYPE_Q4_0:
      return WeightType::kQ4_0;
    case GGML_TYPE_Q4_1:
      return WeightType::kQ4_1;
    case GGML_TYPE_Q5_0:
      return WeightType::kQ5_0;
    case GGML_TYPE_Q5_1:
      return WeightType::kQ5_1;
    case GGML_TYPE_Q8_0:
      return WeightType::kQ8_0;
    case GGML_TYPE_Q4_K:
      return WeightType::kQ4_K;
    case GGML_TYPE_Q5_K:
      return WeightType::kQ5_K;
    case GGML_TYPE_Q6_K:
      return WeightType::kQ6_K;
    case GGML_TYPE_F16:
      return WeightType::kF16;
    case GGML_TYPE_BF16:
      return WeightType::kBF16;
    case GGML_TYPE_F32:
      return WeightType::kF32;
    default:
      return std::nullopt;
  }
}

bool IsPacked(const ggml_tensor* tensor) { return tensor->buffer != nullptr && tensor->buffer->buft == BufferType(); }

int MaxInputs() { return max_inputs; }

}  // namespace winnow
