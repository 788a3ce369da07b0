#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/llama_model.h"
#include "backend/log.h"
#include "ggml-cpu.h"

namespace winnow {

struct EncoderOptions {
  int max_step_tokens = 512;
  int num_cells = 0;        // Of a cache, where the architecture has one.
  bool classifies = false;  // The model's classification head reads the texts.
  int num_classes = 0;      // With `classifies`.
  int threads = 1;
  ggml_threadpool* pool = nullptr;
  LogSink log;
  std::atomic<bool>* is_aborted = nullptr;
};

// A context of a model that turns texts into states or classes. Every token is an output. Flash attention is off: it
// would round keys and values to F16.
class LlamaEncoder {
 public:
  // Throws ERR_OUT_OF_MEMORY.
  LlamaEncoder(llama_model* model, const EncoderOptions& options);

  // Throws ERR_COMPUTE, ERR_ABORTED.
  Encoded Run(const EncodePlan& plan);

 private:
  int Compute(const EncodePlan& plan);
  void Forget(const EncodePlan& plan, bool all);

  EncoderOptions options_;
  int width_;  // Of a state.
  bool has_own_encoder_;
  LlamaContextPointer context_;
  std::vector<llama_pos> positions_;
  std::vector<llama_seq_id> sequences_;  // [rows]
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int32_t> num_sequences_;
  std::vector<int8_t> wants_output_;
};

}  // namespace winnow
