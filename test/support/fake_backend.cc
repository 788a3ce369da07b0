#include "fake_backend.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>

#include "backend/layer_placement.h"
#include "base/error.h"

namespace winnow {
namespace {

uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

// The number behind `name` in a path like "fake-delay-5"; 0 if it isn't there.
int NumberIn(const std::string& path, const std::string& name) {
  size_t at = path.find(name);
  return at == std::string::npos ? 0 : std::stoi(path.substr(at + name.size()));
}

bool Has(const std::string& path, const char* name) { return path.find(name) != std::string::npos; }

int PlaceFakeLayers(const ModelOptions& options) {
  constexpr int64_t kMiB = 1 << 20;
  LayerSizes sizes;
  sizes.layers.assign(4, 100 * kMiB);
  sizes.output = 50 * kMiB;
  int free = NumberIn(options.paths.at(0), "-gpu-");
  std::vector<Device> devices;
  if (free > 0) devices.push_back({"FAKE0", "a device", free * kMiB, free * kMiB});
  return PlaceLayers(sizes, devices, options.gpu_layers, options.log);
}

}  // namespace

FakeBackend::FakeBackend(const ModelOptions& options) {
  const std::string& path = options.paths.at(0);
  if (Has(path, "-no-load")) throw Error("ERR_MODEL_LOAD", "The fake model was asked not to load.");
  fail_at_ = NumberIn(path, "-fail-at-");
  delay_ms_ = NumberIn(path, "-delay-");
  lost_at_ = NumberIn(path, "-lost-at-");
  if (Has(path, "-eos")) eos_logit_ = 5.0f;
  info_.architecture = "fake";
  info_.description = "fake 0B";
  info_.chat_template =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% "
      "endif %}";
  info_.kernels = "fake";
  info_.gpu_layers = PlaceFakeLayers(options);
  info_.device = info_.gpu_layers > 0 ? "gpu" : "cpu";
  info_.vocabulary_size = kVocabularySize;
  info_.trained_context_size = 4096;
  info_.context_size = options.context_size > 0 ? options.context_size : info_.trained_context_size;
  info_.cache_tokens = options.cache_tokens > 0 ? options.cache_tokens : 4 * info_.context_size;
  info_.max_sequences = options.max_sequences;
  info_.max_step_tokens = options.max_step_tokens;
  info_.max_step_outputs = options.max_step_tokens;
  info_.threads = 1;
  info_.cache_type = options.cache_type;
  info_.bos = kBos;
  info_.eos = kEos;
  info_.bos_text = "<bos>";
  info_.eos_text = "<eos>";
  info_.adds_bos = true;
  info_.can_fork = !Has(path, "-no-fork");
  info_.batch_invariant = true;
  info_.max_adapters = Has(path, "-seq2seq") || Has(path, "-encoder") ? 0 : kMaxAdapters;
  info_.end_tokens = {kEos};
  info_.embedding_size = kVectorSize;
  info_.hidden_layers = options.hidden_layers;
  if (Has(path, "-seq2seq")) info_.decoder_start = kBos;
  FillEncoding(path);
  if (options.progress) options.progress(1.0f);
}

void FakeBackend::FillEncoding(const std::string& path) {
  EncodingInfo& encoding = info_.encoding;
  encoding.num_classes = NumberIn(path, "-classes-");
  info_.can_generate = !Has(path, "-encoder") && encoding.num_classes == 0;
  encoding.cuts_texts = info_.can_generate;
  encoding.max_step_tokens = info_.max_step_tokens;
  encoding.max_text_tokens = info_.can_generate ? info_.context_size : info_.max_step_tokens;
  encoding.max_step_texts = 256;
  encoding.vector_size = kVectorSize;
  encoding.pooling = info_.can_generate ? Pooling::kLast : Pooling::kMean;
  for (int i = 0; i < encoding.num_classes; ++i) encoding.class_names.push_back("class " + std::to_string(i));
}

std::vector<Token> FakeBackend::Tokenize(std::string_view text, bool add_special, bool parse_special) const {
  std::vector<Token> tokens;
  if (add_special) tokens.push_back(kBos);
  for (size_t i = 0; i < text.size(); ++i) {
    if (parse_special && text.substr(i, 5) == "<eos>") {
      tokens.push_back(kEos);
      i += 4;
    } else {
      tokens.push_back(static_cast<unsigned char>(text[i]));
    }
  }
  return tokens;
}

std::string FakeBackend::TokenBytes(Token token, bool special) const {
  if (token < 256) return std::string(1, static_cast<char>(token));
  if (!special) return "";
  return token == kBos ? "<bos>" : "<eos>";
}

std::vector<float> FakeBackend::RowBehind(Span<const Token> tokens, const AdapterSet& adapters) const {
  uint64_t state = 1;
  for (const AdapterScale& each : adapters) {
    for (char letter : adapters_.at(each.adapter)) state = Mix(state * 31 + static_cast<uint64_t>(letter));
    state = Mix(state + static_cast<uint64_t>(each.scale * 1024));
  }
  for (Token token : source_) state = Mix(state * 31 + static_cast<uint64_t>(token) + 2);
  for (Token token : tokens) state = Mix(state * 31 + static_cast<uint64_t>(token) + 1);
  std::vector<float> row(kVocabularySize);
  for (int i = 0; i < kVocabularySize; ++i) {
    bool is_letter = (i >= 'a' && i <= 'z') || i == ' ';
    row[i] = static_cast<float>(Mix(state + i) % 4096) / 1024.0f + (is_letter ? 4.0f : 0.0f);
  }
  row[kBos] = -20.0f;
  row[kEos] = eos_logit_ + static_cast<float>(Mix(state + kEos) % 4096) / 1024.0f;
  return row;
}

Logits FakeBackend::Run(const StepPlan& plan) {
  ++num_runs_;
  CheckAdapters(plan);
  if (!plan.source.empty()) source_ = plan.source;
  for (const CacheOp& op : plan.cache_ops) Apply(op);
  if (is_aborted_) throw Error("ERR_ABORTED", "The step was aborted.");
  if (lost_at_ > 0 && num_runs_ >= lost_at_) throw Error("ERR_DEVICE_LOST", "The fake GPU was asked to fail.");
  if (num_runs_ == fail_at_) throw Error("ERR_COMPUTE", "The fake model was asked to fail.");
  if (delay_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms_));
  rows_.assign(plan.rows.size(), {});
  std::vector<const float*> rows(plan.rows.size());
  for (size_t i = 0; i < plan.rows.size(); ++i) {
    Evaluate(plan, plan.rows[i]);
    if (!plan.rows[i].wants_logits) continue;
    rows_[i] = RowBehind(Visible(plan.SequencesOf(plan.rows[i]).front()), plan.adapters);
    rows[i] = rows_[i].data();
  }
  Logits logits(std::move(rows), kVocabularySize);
  KeepStates(plan, &logits);
  return logits;
}

// Layer i's state is StateOf times i + 1.
void FakeBackend::KeepStates(const StepPlan& plan, Logits* logits) {
  hidden_.clear();
  for (int layer : info_.hidden_layers) {
    std::vector<float>& states = hidden_.emplace_back();
    for (const PlanRow& row : plan.rows) {
      std::vector<Token> seen = Visible(plan.SequencesOf(row).front());
      seen.resize(row.position + 1);
      for (float value : StateOf(seen)) states.push_back(value * static_cast<float>(layer + 1));
    }
  }
  std::vector<const float*> pointers;
  for (const std::vector<float>& states : hidden_) pointers.push_back(states.data());
  logits->SetStates(std::move(pointers), kVectorSize);
}

std::vector<float> FakeBackend::StateOf(Span<const Token> tokens) const {
  std::vector<float> row = RowBehind(tokens);
  const int size = info_.encoding.num_classes > 0 ? info_.encoding.num_classes : kVectorSize;
  return {row.begin(), row.begin() + size};
}

// Refuses what llama.cpp refuses: a text that begins in the middle, a sequence twice, more than a step holds.
Encoded FakeBackend::Encode(const EncodePlan& plan) {
  ++num_runs_;
  if (is_aborted_) throw Error("ERR_ABORTED", "The step was aborted.");
  if (num_runs_ == fail_at_) throw Error("ERR_COMPUTE", "The fake model was asked to fail.");
  if (delay_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms_));
  if (static_cast<int>(plan.tokens.size()) > info_.encoding.max_step_tokens)
    throw Error("ERR_FAKE", "A step too long.");
  states_.clear();
  for (const EncodeItem& item : plan.items) {
    std::vector<Token>& text = cut_texts_[item.sequence];
    if (static_cast<int>(text.size()) != item.begin) throw Error("ERR_FAKE", "A text goes on where it did not end.");
    for (int i = 0; i < item.num_rows; ++i) {
      text.push_back(plan.tokens[item.first_row + i]);
      if (info_.can_generate) states_.push_back(StateOf(text));
    }
    const int copies = info_.can_generate ? 0 : info_.encoding.num_classes > 0 ? 1 : item.num_rows;
    for (int i = 0; i < copies; ++i) states_.push_back(StateOf(text));
    if (item.is_last) cut_texts_.erase(item.sequence);
  }
  Encoded encoded;
  for (const std::vector<float>& state : states_) encoded.vectors.emplace_back(state);
  return encoded;
}

std::vector<uint8_t> FakeBackend::SaveSequence(SequenceId sequence, int length) {
  std::vector<Token> tokens = Visible(sequence);
  if (static_cast<int>(tokens.size()) != length) throw Error("ERR_FAKE", "Another length than was saved.");
  const auto* bytes = reinterpret_cast<const uint8_t*>(tokens.data());
  return {bytes, bytes + tokens.size() * sizeof(Token)};
}

void FakeBackend::RestoreSequence(SequenceId sequence, int length, Span<const uint8_t> state) {
  if (!Visible(sequence).empty()) throw Error("ERR_FAKE", "Restored into a sequence that is not empty.");
  if (state.size() != length * sizeof(Token)) throw Error("ERR_PREFIX_FILE", "The fake model can't read that.");
  if (num_used_cells() + length > info_.cache_tokens) throw Error("ERR_FAKE", "The cache is full.");
  std::vector<Token> tokens(length);
  std::copy(state.begin(), state.end(), reinterpret_cast<uint8_t*>(tokens.data()));
  for (int i = 0; i < length; ++i) cells_.push_back({tokens[i], i, {sequence}, std::nullopt});
}

AdapterId FakeBackend::LoadAdapter(const std::string& path) {
  if (Has(path, "missing")) throw Error("ERR_ADAPTER_NOT_FOUND", path + " can't be read.");
  if (Has(path, "broken")) throw Error("ERR_ADAPTER_FILE", path + " is not an adapter.");
  if (Has(path, "other-model")) throw Error("ERR_ADAPTER_MISMATCH", path + " was made for another model.");
  adapters_[++last_adapter_] = path;
  return last_adapter_;
}

void FakeBackend::UnloadAdapter(AdapterId adapter) {
  if (adapters_.erase(adapter) == 0) throw Error("ERR_FAKE", "Unloads what is not loaded.");
}

void FakeBackend::CheckAdapters(const StepPlan& plan) const {
  for (size_t i = 0; i < plan.adapters.size(); ++i) {
    const AdapterScale& each = plan.adapters[i];
    bool is_twice = std::count_if(plan.adapters.begin(), plan.adapters.begin() + i,
                                  [&](const AdapterScale& other) { return other.adapter == each.adapter; }) > 0;
    if (is_twice || each.scale == 0 || !std::isfinite(each.scale)) throw Error("ERR_FAKE", "No set of adapters.");
    if (adapters_.count(each.adapter) == 0) throw Error("ERR_FAKE", "An adapter is not loaded.");
  }
}

void FakeBackend::Apply(const CacheOp& op) {
  if (op.kind == CacheOp::Kind::kCopy) {
    if (!Visible(op.target).empty()) throw Error("ERR_FAKE", "Copy into a sequence that is not empty.");
    if (static_cast<int>(Visible(op.source).size()) < op.end)
      throw Error("ERR_FAKE", "Copy of cells that are not there.");
  }
  for (Cell& cell : cells_) {
    if (cell.position < op.begin || cell.position >= op.end) continue;
    if (op.kind == CacheOp::Kind::kRemove) cell.sequences.erase(op.target);
    if (op.kind == CacheOp::Kind::kCopy && cell.sequences.count(op.source) > 0) cell.sequences.insert(op.target);
  }
  auto is_free = [](const Cell& cell) { return cell.sequences.empty(); };
  cells_.erase(std::remove_if(cells_.begin(), cells_.end(), is_free), cells_.end());
}

void FakeBackend::Evaluate(const StepPlan& plan, const PlanRow& row) {
  Span<const SequenceId> sequences = plan.SequencesOf(row);
  std::vector<Token> seen = Visible(sequences.front());
  if (static_cast<int>(seen.size()) != row.position) throw Error("ERR_FAKE", "Positions are not consecutive.");
  for (SequenceId sequence : sequences) {
    if (Visible(sequence) != seen) throw Error("ERR_FAKE", "Sequences of one row have diverged.");
  }
  for (const Cell& cell : cells_) {
    bool is_other = cell.adapters && *cell.adapters != plan.adapters;
    if (is_other && cell.sequences.count(sequences.front()) > 0)
      throw Error("ERR_FAKE", "A row sees a cell that was computed with other adapters.");
  }
  if (num_used_cells() == info_.cache_tokens) throw Error("ERR_FAKE", "The cache is full.");
  cells_.push_back({row.token, row.position, {sequences.begin(), sequences.end()}, plan.adapters});
}

std::vector<Token> FakeBackend::Visible(SequenceId sequence) const {
  std::vector<Token> tokens;
  for (const Cell& cell : cells_) {
    if (cell.sequences.count(sequence) == 0) continue;
    if (static_cast<size_t>(cell.position) >= tokens.size()) tokens.resize(cell.position + 1, -1);
    if (tokens[cell.position] != -1) throw Error("ERR_FAKE", "Two cells at one position.");
    tokens[cell.position] = cell.token;
  }
  if (std::find(tokens.begin(), tokens.end(), -1) != tokens.end()) throw Error("ERR_FAKE", "A hole in a sequence.");
  return tokens;
}

std::unique_ptr<Backend> MakeBackend(const ModelOptions& options) { return std::make_unique<FakeBackend>(options); }

void CheckVocabulary(const std::string& path) {
  if (Has(path, "-abort")) std::abort();
  if (Has(path, "-no-load")) throw Error("ERR_MODEL_LOAD", "The fake model was asked not to load.");
}

std::vector<std::pair<std::string, std::string>> BuildInfo() { return {{"backend", "fake"}}; }

}  // namespace winnow
