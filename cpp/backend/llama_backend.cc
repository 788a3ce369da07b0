#include "backend/llama_backend.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <string>

#include "backend/adapter_file.h"
#include "backend/device_guard.h"
#include "backend/devices.h"
#include "backend/engine_sizes.h"
#include "backend/log.h"
#include "backend/machine.h"
#include "backend/ops/weight_buffer.h"
#include "backend/sequence_state.h"
#include "base/error.h"
#include "llama-ext.h"

namespace winnow {
namespace {

constexpr int kMaxEncoderRowBytes = 128 << 20;  // Rows of logits of an encoding step of a generating model.
constexpr int kMaxEncodedTokens = 2048;         // Of a text, where a generating model encodes it: its cells are F32.

bool UsesGpu(const ModelOptions& options) { return options.gpu_layers != 0; }

// Null: ggml's own. On a GPU nothing else makes sense.
const kernels::Kernels* KernelsFor(const ModelOptions& options) {
  if (options.kernels == "ggml" || UsesGpu(options)) return nullptr;
  if (options.kernels == "auto") {
    const kernels::Kernels* best = kernels::SupportedKernels().back();
    return best == kernels::SupportedKernels()[0] ? nullptr : best;
  }
  if (const kernels::Kernels* named = kernels::FindKernels(options.kernels.c_str())) return named;
  std::string known = "auto, ggml";
  for (const kernels::Kernels* supported : kernels::SupportedKernels()) known += std::string(", ") + supported->name;
  throw Error("ERR_UNSUPPORTED",
              "This processor has no kernels \"" + options.kernels + "\". It can run: " + known + ".");
}

void FillSizes(const ModelOptions& options, ModelInfo* info) {
  info->context_size = options.context_size > 0 ? options.context_size : info->trained_context_size;
  info->cache_tokens = CacheTokensFor(options, info->context_size);
  info->max_sequences = options.max_sequences;
  info->max_step_tokens = options.max_step_tokens;
  info->max_step_outputs = StepOutputsFor(options);
  info->threads = options.threads > 0 ? options.threads : CountPhysicalCores();
  info->cache_type = options.cache_type;
  info->gpu_layers = options.gpu_layers;
  info->device = UsesGpu(options) ? "gpu" : "cpu";
}

// Architectures whose graphs name the states that enter their layers. Any other would end the process.
bool NamesLayerInputs(const std::string& architecture) {
  static constexpr const char* kKnown[] = {"llama", "qwen3", "qwen3moe", "gpt-oss"};
  return std::find(std::begin(kKnown), std::end(kKnown), architecture) != std::end(kKnown);
}

void CheckHiddenLayers(const std::vector<int>& layers, const ModelInfo& info) {
  if (layers.empty()) return;
  if (!info.can_generate || !NamesLayerInputs(info.architecture)) {
    throw Error("ERR_UNSUPPORTED", "Hidden states of architecture " + info.architecture +
                                       " can't be read while it generates: only those of llama, qwen3, qwen3moe and "
                                       "gpt-oss can. Load without hiddenLayers.");
  }
  if (layers.back() >= info.num_layers) {
    throw Error("ERR_OPTION_VALUE", "hiddenLayers names layer " + std::to_string(layers.back()) + "; this model has " +
                                        std::to_string(info.num_layers) + ", numbered from 0.");
  }
}

void CheckArchitecture(const llama_model* model, const ModelInfo& info) {
  if (llama_model_is_diffusion(model)) {
    throw Error("ERR_UNSUPPORTED", "Models of architecture " + info.architecture +
                                       " fill in masked tokens in any order (diffusion); only those that go from left "
                                       "to right are supported.");
  }
  if (llama_model_has_encoder(model) && llama_model_has_decoder(model) && info.decoder_start < 0) {
    throw Error("ERR_UNSUPPORTED", "Models of architecture " + info.architecture +
                                       " only draft for others, or don't say how their decoder begins.");
  }
}

int HeadSizeOf(const llama_model* model, const ModelInfo& info, const char* which) {
  std::string size = MetadataOf(model, info.architecture + ".attention." + which + "_length");
  return size.empty() ? info.embedding_size / std::max(1, info.num_heads) : std::stoi(size);
}

// An allocation that the machine can't back would end in the death of the process, not in an error.
void CheckMemory(const llama_model* model, const ModelInfo& info) {
  ggml_type type = TypeOf(info.cache_type);
  int64_t head_sizes = HeadSizeOf(model, info, "key") + HeadSizeOf(model, info, "value");
  int64_t elements = info.num_layers * std::max(1, info.num_kv_heads) * head_sizes;
  int64_t cell = elements * static_cast<int64_t>(ggml_type_size(type)) / ggml_blck_size(type);
  int64_t available = AvailableMemory();
  if (info.device != "cpu" || available < 0 || cell * info.cache_tokens <= available) return;
  throw Error("ERR_OUT_OF_MEMORY", "A cache of " + std::to_string(info.cache_tokens) + " tokens needs " +
                                       std::to_string(cell * info.cache_tokens >> 20) + " MiB; " +
                                       std::to_string(available >> 20) + " MiB are available. At most " +
                                       std::to_string(available / cell) +
                                       " tokens fit: load with smaller cacheTokens.");
}

// What the attention of one layer and the outputs of one step take. An encoder has rows of logits, too, since llama.cpp
// reserves them for every output.
void CheckEncoderMemory(const ModelInfo& info, int num_cells) {
  const EncodingInfo& encoding = info.encoding;
  const int64_t scores = static_cast<int64_t>(info.num_heads) * std::max(num_cells, encoding.max_step_tokens);
  const int64_t row = (2 * scores + info.vocabulary_size + encoding.vector_size) * static_cast<int64_t>(sizeof(float));
  const int64_t available = AvailableMemory(), needed = row * encoding.max_step_tokens;
  if (available < 0 || needed <= available) return;
  throw Error("ERR_OUT_OF_MEMORY", "Encoding " + std::to_string(encoding.max_step_tokens) + " tokens at once takes " +
                                       std::to_string(needed >> 20) + " MiB; " + std::to_string(available >> 20) +
                                       " MiB are available. Load with smaller maxStepTokens.");
}

}  // namespace

LlamaBackend::LlamaBackend(const ModelOptions& options)
    : options_(options), kernels_(KernelsFor(options)), model_(LoadLlamaModel(options, kernels_ != nullptr)) {
  options_.progress = nullptr;  // Whose it was may be gone from now on.
  info_ = InfoOf(model_.get());
  FillSizes(options_, &info_);
  CheckArchitecture(model_.get(), info_);
  CheckHiddenLayers(options_.hidden_layers, info_);
  MakeThreads();
  if (info_.can_generate) {
    CheckMemory(model_.get(), info_);
    MakeContext();
  }
  FillEncoding();
  if (!info_.can_generate) MakeEncoder();
  if (kernels_ != nullptr) {
    MakeStepContext();
    if (info_.can_generate) TryOneStep();
  }
  ReturnFreedMemory();
  info_.kernels = kernels_ != nullptr ? kernels_->name : "ggml";
  // Kernels of ggml's walk all cells up to the highest used one, so what is kept for reuse slows every step down.
  info_.max_idle_cells = info_.batch_invariant ? 0 : info_.cache_tokens / 4;
}

void LlamaBackend::MakeThreads() {
  ggml_threadpool_params pool = ggml_threadpool_params_default(info_.threads);
  pool.poll = 0;  // Between steps they sleep: an idle engine costs nothing.
  threads_.reset(ggml_threadpool_new(&pool));
  if (threads_ == nullptr) throw Error("ERR_OUT_OF_MEMORY", "The compute threads could not be started.");
  governor_ = ThreadGovernor(info_.threads);
}

void LlamaBackend::MakeContext() {
  LogScope log(options_.log);
  llama_context_params params = llama_context_default_params();
  params.n_ctx = info_.cache_tokens;
  params.n_batch = info_.max_step_tokens;
  params.n_ubatch = info_.max_step_tokens;  // A step is one micro-batch.
  // A unified cache of plain attention takes ids up to 255 whatever this says, and it costs rows of logits; recurrent
  // states are allocated by it.
  params.n_seq_max = info_.can_fork ? 1 : info_.max_sequences;
  params.n_outputs_max = std::max<uint32_t>(info_.max_step_outputs, params.n_seq_max);
  params.n_threads = info_.threads;
  params.n_threads_batch = info_.threads;
  params.type_k = params.type_v = TypeOf(info_.cache_type);
  // Flash attention rounds keys and values to F16, and who wants F32 wants it for its accuracy.
  if (info_.cache_type == "f32" || info_.decoder_start >= 0) params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.kv_unified = true;
  params.swa_full = true;
  params.pooling_type = LLAMA_POOLING_TYPE_NONE;
  params.no_perf = true;
  params.abort_callback = [](void* flag) { return static_cast<std::atomic<bool>*>(flag)->load(); };
  params.abort_callback_data = &is_aborted_;
  // The first T5 reads its output off the embedding, scaled by 1 / √width (Mesh TensorFlow; transformers does it, too).
  if (info_.decoder_start >= 0 && !HasTensor(options_.paths, "output.weight"))
    logit_scale_ = 1 / std::sqrt(static_cast<float>(info_.embedding_size));
  context_.reset(llama_init_from_model(model_.get(), params));
  if (context_ == nullptr)
    throw Error("ERR_OUT_OF_MEMORY", "llama.cpp could not make the cache: " + log.reasons() + ".");
  if (llama_get_memory(context_.get()) == nullptr) {  // BERT and its like claim to decode.
    info_.can_generate = false;
    return context_.reset();
  }
  info_.cache_tokens = static_cast<int>(llama_n_ctx(context_.get()));
  // An encoder would have to run again for every set.
  info_.max_adapters = info_.decoder_start < 0 ? LoraAdapters::MostOf(context_.get()) : 0;
  ReadHiddenLayers();
  llama_attach_threadpool(context_.get(), threads_.get(), nullptr);
}

// Once, before the first step: each call makes llama.cpp plan its memory anew.
void LlamaBackend::ReadHiddenLayers() {
  for (int layer : options_.hidden_layers) llama_set_embeddings_layer_inp(context_.get(), layer, true);
  info_.hidden_layers = options_.hidden_layers;
}

// Encoders see all of a text at once; generating models can read one in pieces, and have rows of logits for each token.
void LlamaBackend::FillEncoding() {
  EncodingInfo& encoding = info_.encoding = EncodingOf(model_.get(), options_, info_);
  if (info_.decoder_start >= 0) return;  // Its states belong to its decoder.
  encoding.cuts_texts = info_.can_generate;
  encoding.max_step_tokens = info_.max_step_tokens;
  if (!info_.can_generate) {
    info_.cache_tokens = 0;
    info_.context_size = std::min({info_.context_size, info_.trained_context_size, info_.max_step_tokens});
    encoding.max_text_tokens = info_.context_size;
    return;
  }
  const int row_bytes = info_.vocabulary_size * static_cast<int>(sizeof(float));
  encoding.max_step_tokens = std::clamp(kMaxEncoderRowBytes / row_bytes, 1, info_.max_step_tokens);
  encoding.max_text_tokens = std::min(info_.context_size, kMaxEncodedTokens);
}

EncoderOptions LlamaBackend::EncoderOptionsOf() const {
  const EncodingInfo& encoding = info_.encoding;
  EncoderOptions options;
  options.max_step_tokens = encoding.max_step_tokens;
  options.num_cells = encoding.max_step_tokens + (encoding.cuts_texts ? encoding.max_text_tokens : 0);
  options.classifies = encoding.num_classes > 0;
  options.num_classes = encoding.num_classes;
  options.threads = info_.threads;
  options.pool = threads_.get();
  options.log = options_.log;
  return options;
}

void LlamaBackend::MakeEncoder() {
  EncoderOptions options = EncoderOptionsOf();
  options.is_aborted = &is_aborted_;
  CheckEncoderMemory(info_, options.num_cells);
  encoder_ = std::make_unique<LlamaEncoder>(model_.get(), options);
}

template <class Work>
auto LlamaBackend::Guarded(Work work) {
  DeviceGuard guard(info_.device != "cpu");
  if (is_lost_) throw Error("ERR_DEVICE_LOST", "The GPU failed before: close the model and start the process again.");
  try {
    return work();
  } catch (const Error& error) {
    is_lost_ = error.code() == "ERR_DEVICE_LOST";
    throw;
  }
}

Encoded LlamaBackend::Encode(const EncodePlan& plan) {
  return Guarded([&] {
    if (encoder_ == nullptr) MakeEncoder();
    if (step_context_ != nullptr) step_context_->BeginStep({});  // No attention of ours: it needs no positions.
    return encoder_->Run(plan);
  });
}

void LlamaBackend::MakeStepContext() {
  StepContextOptions options;
  options.kernels = kernels_;
  options.max_threads = info_.threads;
  options.max_rows = info_.max_step_tokens;
  options.max_cells = info_.cache_tokens;
  options.max_inputs = MaxInputs();
  options.num_cell_tables = info_.sliding_window > 0 ? 2 : 1;
  step_context_ = std::make_unique<StepContext>(options);
  step_context_->Register(threads_.get());
}

// Shows which operations of this model our kernels compute: only if all of them, results don't depend on the batch.
void LlamaBackend::TryOneStep() {
  StepPlan plan;
  plan.rows.push_back(PlanRow());
  plan.sequences.push_back(0);
  if (info_.decoder_start >= 0) plan.source.push_back(info_.decoder_start);
  EncodeSource(plan.source);
  if (int result = Decode(plan)) {
    throw Error("ERR_COMPUTE", "llama.cpp could not evaluate a first step (" + std::to_string(result) + ").");
  }
  TakeBack(plan);
  info_.batch_invariant = step_context_->num_foreign() == 0;
}

std::vector<Token> LlamaBackend::Tokenize(std::string_view text, bool add_special, bool parse_special) const {
  LogScope log(options_.log);
  return TokenizeWith(llama_model_get_vocab(model_.get()), text, add_special, parse_special);
}

std::string LlamaBackend::TokenBytes(Token token, bool special) const {
  return BytesOf(llama_model_get_vocab(model_.get()), token, special);
}

Logits LlamaBackend::Run(const StepPlan& plan) {
  return Guarded([&] { return Evaluate(plan); });
}

Logits LlamaBackend::Evaluate(const StepPlan& plan) {
  LogScope log(options_.log);
  if (!plan.rows.empty()) adapters_.Use(context_.get(), plan.adapters);
  EncodeSource(plan.source);
  for (const CacheOp& op : plan.cache_ops) Apply(op);
  std::vector<const float*> rows(plan.rows.size());
  if (plan.rows.empty()) return {std::move(rows), info_.vocabulary_size};
  if (int result = Decode(plan)) {
    TakeBack(plan);
    if (result == 2) throw Error("ERR_ABORTED", "The step was aborted.");
    throw Error("ERR_COMPUTE",
                "llama.cpp could not evaluate a step (" + std::to_string(result) + "): " + log.reasons());
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (plan.rows[i].wants_logits) rows[i] = LogitsOf(i);
  }
  Logits logits(std::move(rows), info_.vocabulary_size);
  std::vector<const float*> states;
  for (int layer : info_.hidden_layers) states.push_back(llama_get_embeddings_layer_inp(context_.get(), layer));
  logits.SetStates(std::move(states), info_.embedding_size);
  return logits;
}

// The row is ours until the next step.
float* LlamaBackend::LogitsOf(size_t row) const {
  float* logits = llama_get_logits_ith(context_.get(), static_cast<int32_t>(row));
  if (logit_scale_ != 1) std::for_each(logits, logits + info_.vocabulary_size, [&](float& x) { x *= logit_scale_; });
  return logits;
}

// The source's tokens carry all sequence ids, since a decoder's token attends to those that share one with it.
void LlamaBackend::EncodeSource(Span<const Token> source) {
  if (source.empty()) return;
  LogScope log(options_.log);
  std::vector<llama_seq_id> ids(info_.max_sequences);
  std::iota(ids.begin(), ids.end(), 0);
  std::vector<llama_pos> positions(source.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<int32_t> num_ids(source.size(), info_.max_sequences);
  std::vector<llama_seq_id*> ids_of(source.size(), ids.data());
  std::vector<int8_t> outputs(source.size(), 1);
  llama_batch batch{static_cast<int32_t>(source.size()),
                    const_cast<llama_token*>(source.data()),
                    nullptr,
                    positions.data(),
                    num_ids.data(),
                    ids_of.data(),
                    outputs.data()};
  if (step_context_ != nullptr) step_context_->BeginStep({});
  const int result = llama_encode(context_.get(), batch);
  if (result == 2) throw Error("ERR_ABORTED", "The step was aborted.");
  if (result != 0)
    throw Error("ERR_COMPUTE",
                "llama.cpp could not encode the source (" + std::to_string(result) + "): " + log.reasons());
}

void LlamaBackend::Apply(const CacheOp& op) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (op.kind == CacheOp::Kind::kCopy) {
    llama_memory_seq_cp(memory, op.source, op.target, op.begin, op.end);
  } else {
    llama_memory_seq_rm(memory, op.target, op.begin == 0 ? -1 : op.begin, -1);
  }
}

int LlamaBackend::Decode(const StepPlan& plan) {
  size_t count = plan.rows.size();
  tokens_.resize(count);
  positions_.resize(count);
  num_sequences_.resize(count);
  sequences_.resize(count);
  wants_logits_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const PlanRow& row = plan.rows[i];
    tokens_[i] = row.token;
    positions_[i] = row.position;
    num_sequences_[i] = row.num_sequences;
    sequences_[i] = const_cast<llama_seq_id*>(&plan.sequences[row.first_sequence]);
    wants_logits_[i] = row.wants_logits;
  }
  if (step_context_ != nullptr) step_context_->BeginStep({positions_.data(), positions_.size()});
  llama_batch batch{static_cast<int32_t>(count), tokens_.data(),      nullptr, positions_.data(), num_sequences_.data(),
                    sequences_.data(),           wants_logits_.data()};
  return Compute(batch);
}

// The number of threads changes the time of a step, not its result.
int LlamaBackend::Compute(const llama_batch& batch) {
  ThreadGovernor::Step step{batch.n_tokens, governor_.ThreadsFor(batch.n_tokens)};
  if (step.threads != llama_n_threads(context_.get()))
    llama_set_n_threads(context_.get(), step.threads, step.threads);  // Logs a line.
  auto start = std::chrono::steady_clock::now();
  double cpu_start = ThreadCpuSeconds();
  int result = llama_decode(context_.get(), batch);
  step.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // A thread that waits for a GPU has no core either, but that is nobody's fault.
  if (info_.device == "cpu" && cpu_start >= 0) step.cpu_seconds = ThreadCpuSeconds() - cpu_start;
  if (result == 0) governor_.Record(step);
  return result;
}

std::vector<uint8_t> LlamaBackend::SaveSequence(SequenceId sequence, int length) {
  DeviceGuard guard(info_.device != "cpu");
  LogScope log(options_.log);
  return SaveSequenceState(context_.get(), sequence, length);
}

void LlamaBackend::RestoreSequence(SequenceId sequence, int length, Span<const uint8_t> state) {
  DeviceGuard guard(info_.device != "cpu");
  LogScope log(options_.log);
  RestoreSequenceState(context_.get(), sequence, length, state);
  if (step_context_ == nullptr) return;
  SequenceCells found = FindSequenceCells(context_.get(), sequence);
  for (const void* layer : found.layers) step_context_->SetCells(layer, found.cells, found.positions);
}

AdapterId LlamaBackend::LoadAdapter(const std::string& path) {
  return Guarded([&] {
    CheckAdapterFile(path, options_.paths, info_.architecture);
    return adapters_.Load(model_.get(), path, options_.log);
  });
}

void LlamaBackend::UnloadAdapter(AdapterId adapter) {
  Guarded([&] { adapters_.Unload(context_.get(), adapter); });
}

// llama.cpp keeps what it evaluated before it failed.
void LlamaBackend::TakeBack(const StepPlan& plan) {
  llama_memory_t memory = llama_get_memory(context_.get());
  for (const PlanRow& row : plan.rows) {
    for (SequenceId sequence : plan.SequencesOf(row)) llama_memory_seq_rm(memory, sequence, row.position, -1);
  }
}

LlamaBackend::~LlamaBackend() {
  if (!is_lost_) return;
  // Freeing what lies on a lost device would end the process.
  step_context_.release();
  encoder_.release();
  new LoraAdapters(std::move(adapters_));
  context_.release();
  threads_.release();
  model_.release();
}

std::unique_ptr<Backend> MakeBackend(const ModelOptions& options) {
  InitLlama();
  ModelOptions placed = options;
  std::vector<Device> devices = options.gpu_layers == 0 ? std::vector<Device>() : GpuDevices();
  if (options.gpu_layers != 0 && options.log && !DeviceTrouble().empty())
    options.log(LogLevel::kWarning, DeviceTrouble());
  LayerSizes sizes = devices.empty() ? LayerSizes() : LayerSizesOf(options);
  placed.gpu_layers = PlaceLayers(sizes, devices, options.gpu_layers, options.log);
  return std::make_unique<LlamaBackend>(placed);
}

}  // namespace winnow
