#include "backend/adapter_file.h"

#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>

#include "backend/gguf_file.h"
#include "backend/machine.h"
#include "base/error.h"

namespace winnow {
namespace {

struct Shape {
  ggml_type type = GGML_TYPE_F32;
  const int64_t* sizes = nullptr;  // [4]; the file's.
};

struct Pair {
  Shape a;
  Shape b;
};

[[noreturn]] void Refuse(const char* code, const std::string& path, const std::string& reason) {
  throw Error(code, path + " can't be used as an adapter: " + reason + ".");
}

std::string TextOf(const gguf_context* file, const char* key) {
  const int64_t id = gguf_find_key(file, key);
  return id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_STRING ? "" : gguf_get_val_str(file, id);
}

void CheckKind(const gguf_context* file, const std::string& path, const std::string& architecture) {
  const std::string type = TextOf(file, "general.type"), kind = TextOf(file, "adapter.type");
  if (type != "adapter") Refuse("ERR_ADAPTER_FILE", path, "it is no adapter, its general.type is \"" + type + "\"");
  if (kind != "lora") Refuse("ERR_ADAPTER_FILE", path, "its adapter.type is \"" + kind + "\", not \"lora\"");
  const std::string made_for = TextOf(file, "general.architecture");
  if (made_for != architecture) {
    Refuse("ERR_ADAPTER_MISMATCH", path,
           "it was made for architecture \"" + made_for + "\", and the model's is \"" + architecture + "\"");
  }
  if (gguf_find_key(file, "adapter.alora.invocation_tokens") >= 0)
    Refuse("ERR_UNSUPPORTED", path, "it is an activated LoRA, which holds only behind its invocation tokens");
}

void CheckAlpha(const gguf_context* file, const std::string& path) {
  const int64_t id = gguf_find_key(file, "adapter.lora.alpha");
  if (id < 0) return;  // Alpha is the rank.
  const bool is_number = gguf_get_kv_type(file, id) == GGUF_TYPE_FLOAT32 && std::isfinite(gguf_get_val_f32(file, id));
  if (!is_number) Refuse("ERR_ADAPTER_FILE", path, "its adapter.lora.alpha is not a finite 32-bit number");
}

// "blk.0.attn_q.weight.lora_a" → the weight's name, and whether it is A.
bool SplitName(std::string_view name, std::string_view* weight, bool* is_a) {
  constexpr std::string_view kA = ".lora_a", kB = ".lora_b";
  if (name.size() <= kA.size()) return false;
  const std::string_view end = name.substr(name.size() - kA.size());
  *weight = name.substr(0, name.size() - kA.size());
  *is_a = end == kA;
  return end == kA || end == kB;
}

Shape ShapeOf(const gguf_context* file, int64_t tensor) {
  return {gguf_get_tensor_type(file, tensor), gguf_get_tensor_ne(file, tensor)};
}

std::map<std::string, Pair> PairsOf(const gguf_context* file, const std::string& path) {
  std::map<std::string, Pair> pairs;
  for (int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    const std::string name = gguf_get_tensor_name(file, i);
    std::string_view weight;
    bool is_a = false;
    // llama.cpp passes over norms that an adapter replaces: what it then computes is not what was trained.
    if (!SplitName(name, &weight, &is_a))
      Refuse("ERR_UNSUPPORTED", path, "it changes " + name + " as a whole, and only low-rank matrices can be added");
    Pair& pair = pairs[std::string(weight)];
    (is_a ? pair.a : pair.b) = ShapeOf(file, i);
  }
  if (pairs.empty()) Refuse("ERR_ADAPTER_FILE", path, "it holds no matrices");
  return pairs;
}

// Number types that ggml multiplies element by element of a row: results don't depend on the batch.
bool IsUsable(ggml_type type) { return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16; }

// The shapes that llama.cpp's graphs multiply, of a matrix and of one per expert. Of the embedding, A is a row per
// token and is looked up.
bool Fits(const Pair& pair, const Shape& weight, bool is_embedding) {
  const int64_t *a = pair.a.sizes, *b = pair.b.sizes, *w = weight.sizes;
  const bool fits_slices = a[2] == w[2] && b[2] == w[2] && a[3] == 1 && b[3] == 1 && w[3] == 1;
  const bool fits_matrix =
      is_embedding ? a[1] == w[1] && b[1] == w[0] && a[0] == b[0] : a[0] == w[0] && b[1] == w[1] && a[1] == b[0];
  return fits_slices && fits_matrix;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void CheckPair(const std::string& path, const std::string& name, const Pair& pair, const Shape& weight, bool is_tied) {
  if (pair.a.sizes == nullptr || pair.b.sizes == nullptr)
    Refuse("ERR_ADAPTER_FILE", path, "of the two matrices for " + name + " one is missing");
  if (weight.sizes == nullptr) Refuse("ERR_ADAPTER_MISMATCH", path, "the model has no tensor " + name);
  const bool is_matrix = weight.sizes[1] > 1 && EndsWith(name, ".weight");
  const bool is_experts = weight.sizes[2] > 1;
  const bool is_embedding = name == "token_embd.weight";
  if (!is_matrix || (is_experts && !EndsWith(name, "_exps.weight")) || weight.type == GGML_TYPE_NVFP4)
    Refuse("ERR_UNSUPPORTED", path, "llama.cpp can't add to " + name);
  if (is_embedding && is_tied)
    Refuse("ERR_UNSUPPORTED", path, "it changes the embedding, and this model's is its output, too");
  if (!IsUsable(pair.a.type) || !IsUsable(pair.b.type)) {
    Refuse("ERR_UNSUPPORTED", path,
           "the matrices for " + name + " are neither F32 nor F16 nor BF16. Convert it again with such an --outtype");
  }
  if (!Fits(pair, weight, is_embedding))
    Refuse("ERR_ADAPTER_MISMATCH", path, "the matrices for " + name + " don't fit the model's");
}

void CheckMemory(const gguf_context* file, const std::string& path) {
  int64_t needed = 0;
  for (int64_t i = 0; i < gguf_get_n_tensors(file); ++i) needed += static_cast<int64_t>(gguf_get_tensor_size(file, i));
  const int64_t available = AvailableMemory();
  if (available < 0 || needed <= available) return;
  Refuse("ERR_OUT_OF_MEMORY", path,
         "it takes " + std::to_string(needed >> 20) + " MiB, and " + std::to_string(available >> 20) +
             " MiB are available");
}

}  // namespace

void CheckAdapterFile(const std::string& path, const std::vector<std::string>& model_paths,
                      const std::string& architecture) {
  std::FILE* readable = std::fopen(path.c_str(), "rb");
  if (readable == nullptr) Refuse("ERR_ADAPTER_NOT_FOUND", path, "there is no such file, or it can't be read");
  std::fclose(readable);
  GgufPointer file = OpenGguf(path);
  if (file == nullptr) Refuse("ERR_ADAPTER_FILE", path, "it is no GGUF file, or a damaged one");
  CheckKind(file.get(), path, architecture);
  CheckAlpha(file.get(), path);
  const std::map<std::string, Pair> pairs = PairsOf(file.get(), path);
  std::vector<GgufPointer> model;
  for (const std::string& model_path : model_paths) model.push_back(OpenGguf(model_path));
  auto find = [&](const std::string& name) {
    for (const GgufPointer& part : model) {
      const int64_t tensor = part == nullptr ? -1 : gguf_find_tensor(part.get(), name.c_str());
      if (tensor >= 0) return ShapeOf(part.get(), tensor);
    }
    return Shape();
  };
  const bool is_tied = find("output.weight").sizes == nullptr;
  for (const auto& [name, pair] : pairs) CheckPair(path, name, pair, find(name), is_tied);
  CheckMemory(file.get(), path);
}

}  // namespace winnow
