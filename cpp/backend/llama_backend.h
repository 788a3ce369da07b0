#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/llama_encoder.h"
#include "backend/llama_model.h"
#include "backend/lora_adapters.h"
#include "backend/ops/step_context.h"
#include "backend/thread_governor.h"
#include "ggml-cpu.h"

namespace winnow {

// A model on llama.cpp with one unified KV buffer. Every llama.cpp call that can abort the process is made unreachable
// by a check before it: sequence ids and step sizes are bounded by the scheduler, memory is estimated before it is
// allocated, and no cache is shifted or copied in part.
class LlamaBackend : public Backend {
 public:
  // Throws ERR_MODEL_LOAD, ERR_UNSUPPORTED, ERR_OUT_OF_MEMORY.
  explicit LlamaBackend(const ModelOptions& options);
  ~LlamaBackend() override;

  const ModelInfo& info() const override { return info_; }
  std::vector<Token> Tokenize(std::string_view text, bool add_special, bool parse_special) const override;
  std::string TokenBytes(Token token, bool special) const override;
  Logits Run(const StepPlan& plan) override;
  Encoded Encode(const EncodePlan& plan) override;
  std::vector<uint8_t> SaveSequence(SequenceId sequence, int length) override;
  void RestoreSequence(SequenceId sequence, int length, Span<const uint8_t> state) override;
  AdapterId LoadAdapter(const std::string& path) override;
  void UnloadAdapter(AdapterId adapter) override;
  void Abort() override { is_aborted_ = true; }

 private:
  struct ThreadPoolDeleter {
    void operator()(ggml_threadpool* pool) const { ggml_threadpool_free(pool); }
  };

  template <class Work>
  auto Guarded(Work work);
  Logits Evaluate(const StepPlan& plan);
  void MakeThreads();
  void MakeContext();
  void MakeEncoder();
  void FillEncoding();
  EncoderOptions EncoderOptionsOf() const;
  void ReadHiddenLayers();
  void MakeStepContext();
  void TryOneStep();
  void EncodeSource(Span<const Token> source);
  float* LogitsOf(size_t row) const;
  void Apply(const CacheOp& op);
  int Decode(const StepPlan& plan);
  int Compute(const llama_batch& batch);
  void TakeBack(const StepPlan& plan);

  ModelOptions options_;
  ModelInfo info_;
  const kernels::Kernels* kernels_;  // Null: ggml's own.
  LlamaModelPointer model_;
  std::unique_ptr<ggml_threadpool, ThreadPoolDeleter> threads_;  // One for all steps; outlives the context.
  LlamaContextPointer context_;                                  // Null where nothing is generated.
  LoraAdapters adapters_;
  std::unique_ptr<LlamaEncoder> encoder_;      // Made for the first text where the model generates, too.
  float logit_scale_ = 1;                      // What llama.cpp leaves out.
  ThreadGovernor governor_{1};                 // Of info_.threads once there is a pool.
  std::unique_ptr<StepContext> step_context_;  // Null without kernels of our own.
  std::atomic<bool> is_aborted_{false};
  bool is_lost_ = false;  // The GPU failed.

  // The batch of the step at hand; kept to spare allocations.
  std::vector<llama_token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> num_sequences_;
  std::vector<llama_seq_id*> sequences_;
  std::vector<int8_t> wants_logits_;
};

}  // namespace winnow
