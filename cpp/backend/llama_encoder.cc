#include "backend/llama_encoder.h"

#include <string>

#include "base/error.h"

namespace winnow {
namespace {

llama_context_params ParamsOf(const EncoderOptions& options) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = std::max(options.num_cells, options.max_step_tokens);
  params.n_batch = params.n_ubatch = options.max_step_tokens;  // No text is cut into micro-batches.
  params.n_outputs_max = options.max_step_tokens;
  params.n_seq_max = 1;  // With a unified cache, ids up to 255 are fine.
  params.kv_unified = true;
  params.swa_full = true;
  params.n_threads = params.n_threads_batch = options.threads;
  params.type_k = params.type_v = GGML_TYPE_F32;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.embeddings = true;
  params.pooling_type = options.classifies ? LLAMA_POOLING_TYPE_RANK : LLAMA_POOLING_TYPE_NONE;
  params.no_perf = true;
  params.abort_callback = [](void* flag) { return static_cast<std::atomic<bool>*>(flag)->load(); };
  params.abort_callback_data = options.is_aborted;
  return params;
}

}  // namespace

LlamaEncoder::LlamaEncoder(llama_model* model, const EncoderOptions& options)
    : options_(options), width_(llama_model_n_embd_out(model)), has_own_encoder_(llama_model_has_encoder(model)) {
  LogScope log(options_.log);
  context_.reset(llama_init_from_model(model, ParamsOf(options)));
  if (context_ == nullptr)
    throw Error("ERR_OUT_OF_MEMORY", "llama.cpp could not make a context for encoding: " + log.reasons() + ".");
  if (options.pool != nullptr) llama_attach_threadpool(context_.get(), options.pool, nullptr);
}

Encoded LlamaEncoder::Run(const EncodePlan& plan) {
  LogScope log(options_.log);
  if (int result = Compute(plan)) {
    Forget(plan, /*all=*/true);
    if (result == 2) throw Error("ERR_ABORTED", "The step was aborted.");
    throw Error("ERR_COMPUTE", "llama.cpp could not encode a step (" + std::to_string(result) + "): " + log.reasons());
  }
  Encoded encoded;
  const auto width = static_cast<size_t>(options_.classifies ? options_.num_classes : width_);
  if (options_.classifies) {
    for (const EncodeItem& item : plan.items)
      encoded.vectors.emplace_back(llama_get_embeddings_seq(context_.get(), item.sequence), width);
  } else {
    for (size_t i = 0; i < plan.tokens.size(); ++i)
      encoded.vectors.emplace_back(llama_get_embeddings_ith(context_.get(), static_cast<int32_t>(i)), width);
  }
  Forget(plan, /*all=*/false);
  return encoded;
}

int LlamaEncoder::Compute(const EncodePlan& plan) {
  const size_t count = plan.tokens.size();
  positions_.resize(count);
  sequences_.resize(count);
  sequence_pointers_.resize(count);
  num_sequences_.assign(count, 1);
  wants_output_.assign(count, 1);
  for (const EncodeItem& item : plan.items) {
    for (int i = 0; i < item.num_rows; ++i) {
      const int row = item.first_row + i;
      positions_[row] = item.begin + i;
      sequences_[row] = item.sequence;
      sequence_pointers_[row] = &sequences_[row];
    }
  }
  llama_batch batch{static_cast<int32_t>(count),
                    const_cast<llama_token*>(plan.tokens.data()),
                    nullptr,
                    positions_.data(),
                    num_sequences_.data(),
                    sequence_pointers_.data(),
                    wants_output_.data()};
  const bool has_memory = llama_get_memory(context_.get()) != nullptr;
  return has_own_encoder_ || !has_memory ? llama_encode(context_.get(), batch) : llama_decode(context_.get(), batch);
}

// Outputs are copies: a text's cells can go as soon as its last token is evaluated.
void LlamaEncoder::Forget(const EncodePlan& plan, bool all) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (memory == nullptr) return;
  if (all) return llama_memory_clear(memory, /*data=*/false);
  for (const EncodeItem& item : plan.items) {
    if (item.is_last) llama_memory_seq_rm(memory, item.sequence, -1, -1);
  }
}

}  // namespace winnow
