#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace winnow {

// A model without weights. Its next token depends on every token that the sequence sees, so that a wrong fork, a lost
// cell or a wrong position changes the text; and it refuses what llama.cpp refuses (positions that aren't consecutive,
// sequences that aren't identical in one row, full caches).
//
// Vocabulary: the 256 bytes, then <bos> and <eos>. The path says how it behaves: "fake", followed by any of
// "-fail-at-N" (the N-th run fails), "-delay-N" (every run takes N ms), "-no-load" (loading fails), "-eos" (the end of
// text comes soon), "-no-fork" (sequences can't be forked), "-gpu-N" (there is a GPU with N MiB free; the model has
// four layers of 100 MiB and an output of 50), "-lost-at-N" (the GPU fails in the N-th run), "-encoder" (it encodes
// whole texts and generates nothing), "-classes-N" (an encoder with N classes),
// "-seq2seq" (an encoder–decoder model: its rows depend on the source, too).
class FakeBackend : public Backend {
 public:
  static constexpr int kVocabularySize = 258;
  static constexpr int kVectorSize = 4;
  static constexpr Token kBos = 256;
  static constexpr Token kEos = 257;

  explicit FakeBackend(const ModelOptions& options);

  const ModelInfo& info() const override { return info_; }
  std::vector<Token> Tokenize(std::string_view text, bool add_special, bool parse_special) const override;
  std::string TokenBytes(Token token, bool special) const override;
  Logits Run(const StepPlan& plan) override;
  Encoded Encode(const EncodePlan& plan) override;
  // Its tokens, four bytes each.
  std::vector<uint8_t> SaveSequence(SequenceId sequence, int length) override;
  void RestoreSequence(SequenceId sequence, int length, Span<const uint8_t> state) override;
  // The name of the file says how it behaves: "missing", "broken" and "other-model" can't be loaded, with the errors
  // of real ones.
  AdapterId LoadAdapter(const std::string& path) override;
  void UnloadAdapter(AdapterId adapter) override;
  void Abort() override { is_aborted_ = true; }

  // The state of the last of `tokens`, [kVectorSize]: of an encoder, which also sees what follows, for any of them.
  std::vector<float> StateOf(Span<const Token> tokens) const;
  // The row behind `tokens`, as a fresh evaluation with `adapters` would give it.
  std::vector<float> RowBehind(Span<const Token> tokens, const AdapterSet& adapters = {}) const;
  const std::map<AdapterId, std::string>& adapters() const { return adapters_; }
  // Of an encoder–decoder model: what a Run would have encoded.
  void SetSource(std::vector<Token> source) { source_ = std::move(source); }
  int num_runs() const { return num_runs_; }
  int num_used_cells() const { return static_cast<int>(cells_.size()); }

 private:
  struct Cell {
    Token token;
    Position position;
    std::set<SequenceId> sequences;
    std::optional<AdapterSet> adapters;  // What it was computed with; none = it was restored.
  };

  void FillEncoding(const std::string& path);
  void KeepStates(const StepPlan& plan, Logits* logits);
  void Apply(const CacheOp& op);
  void Evaluate(const StepPlan& plan, const PlanRow& row);
  std::vector<Token> Visible(SequenceId sequence) const;
  void CheckAdapters(const StepPlan& plan) const;

  ModelInfo info_;
  std::vector<Cell> cells_;
  std::map<AdapterId, std::string> adapters_;  // Paths of those that are loaded.
  AdapterId last_adapter_ = 0;
  std::vector<Token> source_;
  std::vector<std::vector<float>> rows_;
  std::vector<std::vector<float>> states_;
  std::vector<std::vector<float>> hidden_;              // [hidden layers][rows × kVectorSize]
  std::map<SequenceId, std::vector<Token>> cut_texts_;  // Their tokens so far.
  int num_runs_ = 0;
  int fail_at_ = 0;  // 0 = never.
  int delay_ms_ = 0;
  int lost_at_ = 0;  // 0 = never.
  float eos_logit_ = -4.0f;
  std::atomic<bool> is_aborted_{false};
};

}  // namespace winnow
