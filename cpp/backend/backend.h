#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/adapter.h"
#include "base/encode_plan.h"
#include "base/span.h"
#include "base/step_plan.h"
#include "base/types.h"

// What the engine needs of a model: text to tokens and back, and steps. llama_backend implements it; the tests link a
// fake in its place.
namespace winnow {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct ModelOptions {
  std::vector<std::string> paths;  // One GGUF file, or all parts of a split model in order.
  int context_size = 0;            // Longest sequence, tokens; 0 = what the model was trained with.
  int cache_tokens = 0;            // Cells of the KV cache, shared by all sequences; 0 = context_size.
  int max_sequences = 256;         // Rows of the cache, running and resident ones together; 1 … 256.
  int max_step_tokens = 512;       // Most tokens of one step.
  int threads = 0;                 // Compute threads at most; 0 = one per physical core.
  int gpu_layers = 0;              // Layers on GPUs; -1 = all that fit, -2 = all or an error.
  std::string cache_type = "f16";  // f32, f16, bf16, q8_0
  std::string kernels = "auto";    // auto, ggml
  std::vector<int> hidden_layers;  // Layers whose incoming states probes read, ascending.
  std::function<void(LogLevel, std::string_view)> log;  // Called from any thread; lines without a line feed.
  std::function<void(float)> progress;                  // 0 … 1, on the loading thread.
};

// Texts to vectors or classes: what Encode() can do.
struct EncodingInfo {
  int max_text_tokens = 0;  // Of a text; 0 = the model can't.
  int max_step_tokens = 0;  // Of all texts of a step.
  int max_step_texts = 1;   // Of a step.
  bool cuts_texts = false;  // A text may go on in the next step.
  Pooling pooling =
      Pooling::kMean;   // What the file says; the mean for encoders, the last token for others if it doesn't.
  int vector_size = 0;  // Of a state.
  int num_classes = 0;  // A classifier's or a reward head's: then there are no states. 0 = none.
  std::vector<std::string> class_names;  // [num_classes]; empty if the file doesn't name them.
  Token pair_separator = -1;    // Between two texts that are read as one, besides their own special tokens; -1 = none.
  std::string rerank_template;  // A text with {query} and {document}; empty = the two are read as a pair.
  bool has_segments = false;    // It was trained to tell the texts of a pair apart by segments, which llama.cpp can't.
};

struct ModelInfo {
  std::string architecture;   // As in general.architecture: llama, gemma3, …
  std::string description;    // "llama 135M Q4_1"
  std::string name;           // general.name; may be empty.
  std::string chat_template;  // Jinja; empty if the model has none.
  std::string kernels;        // What was chosen: ggml, …
  std::string device;         // cpu, gpu
  int gpu_layers = 0;         // On GPUs, the output counted as one.
  int64_t num_parameters = 0;
  int64_t size_bytes = 0;  // Of all tensors.
  int vocabulary_size = 0;
  int embedding_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int trained_context_size = 0;
  int context_size = 0;  // Effective values of the options of the same name.
  int cache_tokens = 0;
  int max_sequences = 0;
  int max_step_tokens = 0;
  int max_step_outputs = 0;  // Most rows of logits that one step may want.
  int max_idle_cells = 0;    // Cells that finished sequences may keep for reuse; 0 = no limit.
  int sliding_window = 0;    // Tokens that some layers look back on at most; 0 = all layers see everything.
  int threads = 0;
  std::string cache_type;
  Token bos = -1;  // -1 = the vocabulary has none.
  Token eos = -1;
  std::string bos_text;  // As chat templates want them.
  std::string eos_text;
  bool adds_bos = false;          // Whether Tokenize(add_special) puts it in front.
  bool can_fork = true;           // False: sequences cannot share cells (recurrent, hybrid): no forks, no prefix reuse.
  bool can_generate = true;       // False: encoder-only models.
  bool batch_invariant = false;   // A row's bits do not depend on what shares the step.
  std::vector<Token> end_tokens;  // Tokens that end a generation.
  EncodingInfo encoding;
  Token decoder_start = -1;        // Of an encoder–decoder model: every answer begins behind it. -1 = another kind.
  int max_adapters = 0;            // Low-rank adapters of a request; 0 = they can't be used.
  std::vector<int> hidden_layers;  // Effective value of the option.
};

// Rows of logits of one step, in the order in which the plan's rows want them. Valid until the next Run.
class Logits {
 public:
  Logits() = default;
  Logits(std::vector<const float*> rows, int vocabulary_size)
      : rows_(std::move(rows)), vocabulary_size_(vocabulary_size) {}
  // `states`: of all rows of the plan, by layer of ModelInfo::hidden_layers, [rows][state_size].
  void SetStates(std::vector<const float*> states, int state_size) {
    states_ = std::move(states);
    state_size_ = state_size;
  }
  // `row`: index into StepPlan::rows; the row must want logits.
  Span<const float> Row(int row) const { return {rows_[row], static_cast<size_t>(vocabulary_size_)}; }
  // The state that enters ModelInfo::hidden_layers[layer] at this row, which needs no logits.
  Span<const float> State(int layer, int row) const {
    return {states_[layer] + static_cast<size_t>(row) * state_size_, static_cast<size_t>(state_size_)};
  }

 private:
  std::vector<const float*> rows_;  // [rows of the plan]; null where none were wanted.
  int vocabulary_size_ = 0;
  std::vector<const float*> states_;
  int state_size_ = 0;
};

// What one step of an encoder gave: a state per row of the plan, or, from a classifier, one vector of class scores per
// item. Valid until the next Encode.
struct Encoded {
  std::vector<Span<const float>> vectors;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const ModelInfo& info() const = 0;

  // Thread-safe. `add_special`: BOS and the like as the model wants them. `parse_special`: control tokens that are
  // spelled out in the text become those tokens.
  virtual std::vector<Token> Tokenize(std::string_view text, bool add_special, bool parse_special) const = 0;
  // Thread-safe. The bytes of one token, maybe a part of a character. `special`: control tokens show their name.
  virtual std::string TokenBytes(Token token, bool special) const = 0;

  // Engine thread only. Applies the cache operations, then evaluates the rows. Throws Error; the cache is then as if
  // no row of the step had been evaluated, but the cache operations stay done.
  virtual Logits Run(const StepPlan& plan) = 0;
  // Engine thread only. Encodes texts, which leave nothing behind but what an item with is_last = false needs to go on.
  // Throws Error; then no text can go on.
  virtual Encoded Encode(const EncodePlan& plan) = 0;
  // Engine thread only, between two Runs. The sequence's first and only `length` tokens as bytes, for RestoreSequence
  // of a backend of the same model, cache type and version. Throws Error where the cache can't be saved.
  virtual std::vector<uint8_t> SaveSequence(SequenceId sequence, int length) = 0;
  // The sequence is empty and there are `length` free cells. Whoever calls has made sure that the bytes are what
  // SaveSequence returned. Throws Error; the sequence is then empty.
  virtual void RestoreSequence(SequenceId sequence, int length, Span<const uint8_t> state) = 0;
  // Engine thread only. Reads the file of a low-rank adapter and keeps it. Throws ERR_ADAPTER_NOT_FOUND,
  // ERR_ADAPTER_FILE (no adapter that can be used), ERR_ADAPTER_MISMATCH (made for another model), ERR_UNSUPPORTED,
  // ERR_OUT_OF_MEMORY.
  virtual AdapterId LoadAdapter(const std::string& path) = 0;
  // Engine thread only. No plan names it from now on.
  virtual void UnloadAdapter(AdapterId adapter) = 0;
  // Any thread: makes the Run or Encode in progress return soon with ERR_ABORTED.
  virtual void Abort() = 0;
};

// Loads a model and makes its cache. Throws Error.
std::unique_ptr<Backend> MakeBackend(const ModelOptions& options);

// Loads nothing but the vocabulary of a GGUF file, to find out whether llama.cpp accepts it. It may abort the process:
// only for a child process that is there for this. Throws Error.
void CheckVocabulary(const std::string& path);

// What this binary was built with and what it finds here, for `winnow doctor`: name → value.
std::vector<std::pair<std::string, std::string>> BuildInfo();

}  // namespace winnow
