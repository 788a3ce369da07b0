#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "llama.h"

namespace winnow {

struct LlamaDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
  void operator()(llama_context* context) const { llama_free(context); }
};
using LlamaModelPointer = std::unique_ptr<llama_model, LlamaDeleter>;
using LlamaContextPointer = std::unique_ptr<llama_context, LlamaDeleter>;

// Once per process, before anything else of llama.cpp. Thread-safe.
void InitLlama();

// Weights and vocabulary. `pack_weights`: in the layout of our own kernels, where they can serve them. Throws
// ERR_MODEL_LOAD with llama.cpp's own reasons.
LlamaModelPointer LoadLlamaModel(const ModelOptions& options, bool pack_weights);

// What the model alone says; sizes of the engine are filled in by who knows them.
ModelInfo InfoOf(const llama_model* model);

// Thread-safe. Throws ERR_TEXT_TOO_LONG.
std::vector<Token> TokenizeWith(const llama_vocab* vocab, std::string_view text, bool add_special, bool parse_special);

// Thread-safe. Empty for ids outside of the vocabulary.
std::string BytesOf(const llama_vocab* vocab, Token token, bool special);

// What the model's file says of its use for texts as a whole: everything but the sizes of a step. Throws ERR_MODEL_LOAD
// where a classifier has no head.
EncodingInfo EncodingOf(const llama_model* model, const ModelOptions& options, const ModelInfo& info);

// Whether the files have a tensor of this name.
bool HasTensor(const std::vector<std::string>& paths, const char* name);

// A key of the model's metadata; empty if it isn't there.
std::string MetadataOf(const llama_model* model, const std::string& key);

}  // namespace winnow
