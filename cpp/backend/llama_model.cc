#include "backend/llama_model.h"

#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>

#include "backend/devices.h"
#include "backend/log.h"
#include "backend/ops/large_pages.h"
#include "backend/ops/weight_buffer.h"
#include "base/error.h"
#include "gguf.h"

namespace winnow {
namespace {

llama_model_params ParamsOf(const ModelOptions& options) {
  static ggml_backend_dev_t no_devices[] = {nullptr};
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = options.gpu_layers;
  if (options.gpu_layers == 0) params.devices = no_devices;  // Otherwise big products go to a GPU all the same.
  params.no_host = options.gpu_layers > 0;  // What stays on the CPU keeps the layouts that are fast there.
  params.progress_callback = [](float loaded, void* user_data) {
    auto& progress = *static_cast<const std::function<void(float)>*>(user_data);
    if (progress) progress(loaded);
    return true;
  };
  params.progress_callback_user_data = const_cast<std::function<void(float)>*>(&options.progress);
  return params;
}

std::vector<Token> EndTokensOf(const llama_vocab* vocab) {
  std::vector<Token> tokens;
  for (Token token = 0; token < llama_vocab_n_tokens(vocab); ++token) {
    if (llama_vocab_is_eog(vocab, token)) tokens.push_back(token);
  }
  return tokens;
}

std::string DescriptionOf(const llama_model* model) {
  char text[256];
  int length = llama_model_desc(model, text, sizeof text);
  return length < 0 ? "" : std::string(text, std::min<size_t>(length, sizeof text - 1));
}

std::string ArchitectureKey(const llama_model* model, const char* key) {
  return MetadataOf(model, MetadataOf(model, "general.architecture") + key);
}

// Of the architectures with an encoder and a decoder, the one that is no draft model of another.
bool IsT5(const ModelInfo& info) { return info.architecture == "t5"; }

bool IsCausal(const llama_model* model) { return ArchitectureKey(model, ".attention.causal") != "false"; }

enum llama_pooling_type PoolingTypeOf(const llama_model* model) {
  std::string type = ArchitectureKey(model, ".pooling_type");
  return type.empty() ? LLAMA_POOLING_TYPE_UNSPECIFIED : static_cast<enum llama_pooling_type>(std::atoi(type.c_str()));
}

// llama.cpp computes a classifier without a head all the same, and what it then gives isn't a score.
void FillClasses(const llama_model* model, const ModelOptions& options, EncodingInfo* encoding) {
  if (!HasTensor(options.paths, "cls.output.weight"))
    throw Error("ERR_MODEL_LOAD",
                options.paths[0] + " is a classifier (pooling type rank) without a head (cls.output).");
  encoding->num_classes = static_cast<int>(llama_model_n_cls_out(model));
  for (int i = 0; i < encoding->num_classes; ++i) {
    if (const char* name = llama_model_cls_label(model, i)) encoding->class_names.emplace_back(name);
  }
}

std::string TextOf(const llama_vocab* vocab, Token token) {
  return token < 0 ? "" : llama_vocab_get_text(vocab, token);
}

}  // namespace

void InitLlama() {
  static std::once_flag once;
  std::call_once(once, [] {
    DeviceTrouble();  // Before anything else can look for devices, which would print what is wrong.
    InstallLargePages();
    InstallOperations();
    llama_backend_init();
  });
}

LlamaModelPointer LoadLlamaModel(const ModelOptions& options, bool pack_weights) {
  InitLlama();
  PackWeights pack(pack_weights);
  LogScope log(options.log);
  std::vector<const char*> paths;
  for (const std::string& path : options.paths) paths.push_back(path.c_str());
  llama_model_params params = ParamsOf(options);
  if (pack_weights)
    params.load_mode = LLAMA_LOAD_MODE_NONE;  // Mapped, the file would stay in memory beside its packed copy.
  LlamaModelPointer model(paths.size() == 1 ? llama_model_load_from_file(paths[0], params)
                                            : llama_model_load_from_splits(paths.data(), paths.size(), params));
  if (model == nullptr) {
    throw Error("ERR_MODEL_LOAD", "llama.cpp could not load " + options.paths[0] + ": " +
                                      (log.reasons().empty() ? "no reason given" : log.reasons()) + ".");
  }
  return model;
}

ModelInfo InfoOf(const llama_model* model) {
  const llama_vocab* vocab = llama_model_get_vocab(model);
  const char* chat_template = llama_model_chat_template(model, nullptr);
  ModelInfo info;
  info.architecture = MetadataOf(model, "general.architecture");
  info.description = DescriptionOf(model);
  info.name = MetadataOf(model, "general.name");
  info.chat_template = chat_template == nullptr ? "" : chat_template;
  info.num_parameters = static_cast<int64_t>(llama_model_n_params(model));
  info.size_bytes = static_cast<int64_t>(llama_model_size(model));
  info.vocabulary_size = llama_vocab_n_tokens(vocab);
  info.embedding_size = llama_model_n_embd(model);
  info.num_layers = llama_model_n_layer(model);
  info.num_heads = llama_model_n_head(model);
  info.num_kv_heads = llama_model_n_head_kv(model);
  info.trained_context_size = llama_model_n_ctx_train(model);
  info.sliding_window = llama_model_n_swa(model);
  info.bos = llama_vocab_bos(vocab);
  info.eos = llama_vocab_eos(vocab);
  info.bos_text = TextOf(vocab, info.bos);
  info.eos_text = TextOf(vocab, info.eos);
  info.adds_bos = llama_vocab_get_add_bos(vocab);
  info.can_fork = !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model);
  // A classifier's head is all it was trained for.
  info.can_generate = llama_model_has_decoder(model) && (!llama_model_has_encoder(model) || IsT5(info)) &&
                      IsCausal(model) && !llama_model_is_diffusion(model) &&
                      PoolingTypeOf(model) != LLAMA_POOLING_TYPE_RANK;
  info.end_tokens = EndTokensOf(vocab);
  if (IsT5(info)) {
    const Token start = llama_model_decoder_start_token(model);
    info.decoder_start = start >= 0 ? start : info.bos;
  }
  return info;
}

bool HasTensor(const std::vector<std::string>& paths, const char* name) {
  for (const std::string& path : paths) {
    std::unique_ptr<gguf_context, void (*)(gguf_context*)> file(
        gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}), gguf_free);
    if (file != nullptr && gguf_find_tensor(file.get(), name) >= 0) return true;
  }
  return false;
}

EncodingInfo EncodingOf(const llama_model* model, const ModelOptions& options, const ModelInfo& info) {
  EncodingInfo encoding;
  encoding.vector_size = llama_model_n_embd_out(model);
  encoding.max_step_texts = info.can_fork ? 256 : 1;
  const enum llama_pooling_type type = PoolingTypeOf(model);
  if (type == LLAMA_POOLING_TYPE_RANK) FillClasses(model, options, &encoding);
  const bool is_last = type == LLAMA_POOLING_TYPE_LAST || (type != LLAMA_POOLING_TYPE_MEAN && info.can_generate);
  const llama_vocab* vocab = llama_model_get_vocab(model);
  // WordPiece ends every text with its separator; the others that want one have it between two ends.
  if (llama_vocab_get_add_sep(vocab) && llama_vocab_type(vocab) != LLAMA_VOCAB_TYPE_WPM)
    encoding.pair_separator = llama_vocab_sep(vocab);
  if (const char* text = llama_model_chat_template(model, "rerank")) encoding.rerank_template = text;
  encoding.has_segments = std::atoi(MetadataOf(model, "tokenizer.ggml.token_type_count").c_str()) > 1;
  encoding.pooling = type == LLAMA_POOLING_TYPE_CLS ? Pooling::kCls : is_last ? Pooling::kLast : Pooling::kMean;
  return encoding;
}

std::vector<Token> TokenizeWith(const llama_vocab* vocab, std::string_view text, bool add_special, bool parse_special) {
  if (text.size() > std::numeric_limits<int32_t>::max() / 4) {
    throw Error("ERR_TEXT_TOO_LONG", "A text of " + std::to_string(text.size()) + " bytes is too long to tokenize.");
  }
  auto length = static_cast<int32_t>(text.size());
  std::vector<Token> tokens(text.size() / 2 + 8);
  int count = llama_tokenize(vocab, text.data(), length, tokens.data(), static_cast<int32_t>(tokens.size()),
                             add_special, parse_special);
  if (count < 0) {  // Minus the room it needs.
    tokens.resize(-count);
    count = llama_tokenize(vocab, text.data(), length, tokens.data(), -count, add_special, parse_special);
  }
  tokens.resize(count);
  return tokens;
}

std::string BytesOf(const llama_vocab* vocab, Token token, bool special) {
  if (token < 0 || token >= llama_vocab_n_tokens(vocab)) return "";
  char piece[64];
  int length = llama_token_to_piece(vocab, token, piece, sizeof piece, /*lstrip=*/0, special);
  if (length >= 0) return std::string(piece, length);
  std::string bytes(-length, '\0');
  llama_token_to_piece(vocab, token, &bytes[0], -length, /*lstrip=*/0, special);
  return bytes;
}

std::string MetadataOf(const llama_model* model, const std::string& key) {
  char value[512];
  int length = llama_model_meta_val_str(model, key.c_str(), value, sizeof value);
  return length < 0 ? "" : std::string(value);
}

void CheckVocabulary(const std::string& path) {
  InitLlama();
  LogSink no_sink;
  LogScope log(no_sink);
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  LlamaModelPointer model(llama_model_load_from_file(path.c_str(), params));
  if (model == nullptr) throw Error("ERR_MODEL_FILE", "llama.cpp refuses the file: " + log.reasons() + ".");
}

}  // namespace winnow
