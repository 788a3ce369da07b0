#include "backend/devices.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "backend/engine_sizes.h"
#include "backend/gguf_file.h"
#include "backend/llama_model.h"
#include "backend/log.h"
#include "base/error.h"
#include "ggml-backend.h"

namespace winnow {
namespace {

// The runtime's context, its libraries' work space and the graph's activations; logits come on top.
constexpr int64_t kStepReserve = int64_t{512} << 20;

GgufPointer Open(const std::string& path) {
  GgufPointer file = OpenGguf(path);
  if (file == nullptr) throw Error("ERR_MODEL_LOAD", "The head of " + path + " could not be read.");
  return file;
}

// Keys of an architecture's own: "<architecture>.<name>".
class Hyperparameters {
 public:
  explicit Hyperparameters(const gguf_context* file) : file_(file) {
    int64_t key = gguf_find_key(file, "general.architecture");
    if (key >= 0 && gguf_get_kv_type(file, key) == GGUF_TYPE_STRING) prefix_ = gguf_get_val_str(file, key);
  }

  // Of a number or, for layers that differ, of the array's element `layer`; `otherwise` if it isn't there.
  int64_t Get(const std::string& name, int64_t otherwise, size_t layer = 0) const {
    int64_t key = gguf_find_key(file_, (prefix_ + "." + name).c_str());
    if (key < 0) return otherwise;
    gguf_type type = gguf_get_kv_type(file_, key);
    if (type == GGUF_TYPE_UINT32) return gguf_get_val_u32(file_, key);
    if (type == GGUF_TYPE_INT32) return gguf_get_val_i32(file_, key);
    if (type != GGUF_TYPE_ARRAY || layer >= gguf_get_arr_n(file_, key)) return otherwise;
    gguf_type element = gguf_get_arr_type(file_, key);
    if (element != GGUF_TYPE_UINT32 && element != GGUF_TYPE_INT32) return otherwise;
    return static_cast<const int32_t*>(gguf_get_arr_data(file_, key))[layer];
  }

 private:
  const gguf_context* file_;
  std::string prefix_;
};

// Keys and values of one token in one layer.
int64_t CellBytes(const Hyperparameters& model, ggml_type type, size_t layer) {
  int64_t heads = std::max<int64_t>(1, model.Get("attention.head_count", 1, layer));
  int64_t kv_heads = model.Get("attention.head_count_kv", heads, layer);
  int64_t head_size = model.Get("embedding_length", 0) / heads;
  int64_t elements =
      kv_heads * (model.Get("attention.key_length", head_size) + model.Get("attention.value_length", head_size));
  return elements * static_cast<int64_t>(ggml_type_size(type)) / ggml_blck_size(type);
}

int64_t CacheTokensOf(const ModelOptions& options, const Hyperparameters& model) {
  int context = options.context_size > 0 ? options.context_size : static_cast<int>(model.Get("context_length", 0));
  return CacheTokensFor(options, context);
}

// "blk.12.attn_q.weight" → 12; -1 for what belongs to no layer.
int LayerOf(const std::string& tensor) {
  return tensor.compare(0, 4, "blk.") == 0 ? std::atoi(tensor.c_str() + 4) : -1;
}

void AddTensors(const gguf_context* file, LayerSizes* sizes, int64_t* embedding, int64_t* vocabulary) {
  for (int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    std::string name = gguf_get_tensor_name(file, i);
    auto bytes = static_cast<int64_t>(gguf_get_tensor_size(file, i));
    int layer = LayerOf(name);
    if (layer >= 0 && layer < static_cast<int>(sizes->layers.size())) sizes->layers[layer] += bytes;
    if (name.compare(0, 6, "output") == 0) sizes->output += bytes;
    if (name != "token_embd.weight") continue;
    *embedding = bytes;
    *vocabulary = gguf_get_tensor_ne(file, i)[1];
  }
}

}  // namespace

const std::string& DeviceTrouble() {
  static const std::string trouble = [] {
    LogSink no_sink;
    LogScope log(no_sink);
    ggml_backend_dev_count();
    return log.reasons();
  }();
  return trouble;
}

std::vector<Device> GpuDevices() {
  DeviceTrouble();
  std::vector<Device> devices;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t found = ggml_backend_dev_get(i);
    enum ggml_backend_dev_type type = ggml_backend_dev_type(found);
    if (type != GGML_BACKEND_DEVICE_TYPE_GPU && type != GGML_BACKEND_DEVICE_TYPE_IGPU) continue;
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    ggml_backend_dev_memory(found, &free_bytes, &total_bytes);
    devices.push_back({ggml_backend_dev_name(found), ggml_backend_dev_description(found),
                       static_cast<int64_t>(free_bytes), static_cast<int64_t>(total_bytes)});
  }
  return devices;
}

LayerSizes LayerSizesOf(const ModelOptions& options) {
  GgufPointer head = Open(options.paths.at(0));
  Hyperparameters model(head.get());
  LayerSizes sizes;
  sizes.layers.resize(std::clamp<int64_t>(model.Get("block_count", 0), 0, 10'000));
  int64_t embedding = 0;
  int64_t vocabulary = 0;
  AddTensors(head.get(), &sizes, &embedding, &vocabulary);
  for (size_t part = 1; part < options.paths.size(); ++part) {
    AddTensors(Open(options.paths[part]).get(), &sizes, &embedding, &vocabulary);
  }
  if (sizes.output < embedding / 2) sizes.output += embedding;  // Tied: the device gets a copy.
  for (size_t layer = 0; layer < sizes.layers.size(); ++layer) {
    sizes.layers[layer] += CacheTokensOf(options, model) * CellBytes(model, TypeOf(options.cache_type), layer);
  }
  sizes.step = kStepReserve + vocabulary * static_cast<int64_t>(sizeof(float)) * StepOutputsFor(options);
  return sizes;
}

}  // namespace winnow
