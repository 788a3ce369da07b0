#pragma once

#include <bitset>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/step_plan.h"
#include "base/types.h"
#include "kv_cache/cell_table.h"
#include "kv_cache/prefix_tree.h"

namespace winnow {

struct KvCacheOptions {
  int num_cells = 0;
  int max_sequences = kMaxSequences;
  bool can_fork = true;  // False: no sequence shares cells with another, nothing is reused.
  int sliding_window =
      0;  // Tokens that a layer looks back on, where some layers look back on less than all; 0 = none do.
  int max_idle_cells = 0;  // Cells that finished sequences may keep; 0 = no limit.
};

// The book of the KV cache: which sequences are resident, what they hold, which may be evicted. It touches no model:
// what has to happen in the real cache is written down as CacheOps, in order.
//
// Sequences of different spaces (tenants, adapters) never share a cell: each space has a prefix tree of its own.
//
// A sequence is busy (somebody runs on it or has pinned it) or idle (finished, kept for reuse, evicted when needed, the
// least recently used first). Engine thread only.
class KvCache {
 public:
  explicit KvCache(const KvCacheOptions& options);

  bool can_fork() const { return options_.can_fork; }
  int num_cells() const { return cells_.num_cells(); }
  int num_used_cells() const { return cells_.num_used(); }
  int num_busy_cells() const { return cells_.num_busy(); }
  int num_idle_cells() const { return cells_.num_used() - cells_.num_busy(); }
  int max_sequences() const { return static_cast<int>(entries_.size()); }
  int num_busy_sequences() const { return num_busy_; }
  int num_used_sequences() const { return num_busy_ + static_cast<int>(idle_.size()); }
  Span<const Token> Tokens(SequenceId sequence) const { return entries_[sequence].tokens; }
  const std::string& SpaceOf(SequenceId sequence) const { return entries_[sequence].space; }
  int Length(SequenceId sequence) const { return cells_.Length(sequence); }
  int CountBusyCells(SequenceId sequence, int length) const { return cells_.CountBusy(sequence, length); }
  int CountCells(Span<const SequenceId> sequences) const { return cells_.CountUnion(sequences); }

  // The resident sequence of `space` that shares most with `tokens`, at most `max_length` of them; a busy one where
  // there is a choice, since its cells are taken anyway. Of busy sequences, what they have grown to since Publish
  // counts too.
  PrefixTree::Match FindLongestPrefix(const std::string& space, Span<const Token> tokens, int max_length) const;

  // A new busy sequence of `space` that holds the first `length` tokens of `source`, which is of the same space
  // (kNoSequence and 0: an empty one). An idle source that would lose nothing is taken over instead of forked. nullopt:
  // every sequence is busy.
  std::optional<SequenceId> Begin(const std::string& space, SequenceId source, int length);
  // One token, one cell, for all of `sequences`, which are busy. Idle sequences are evicted as needed; the caller has
  // made sure that busy cells leave room.
  void Append(Span<const SequenceId> sequences, Token token);
  // Lets other requests find what the sequence holds, now and as it grows.
  void Publish(SequenceId sequence);
  // Ends a busy sequence and keeps it for reuse.
  void Retire(SequenceId sequence);
  // Ends a busy sequence and forgets it.
  void Drop(SequenceId sequence);
  void EvictIdle();

  // What the real cache has to do before the rows of the next step, in order.
  std::vector<CacheOp> TakeOps();

 private:
  struct Entry {
    enum class State { kFree, kBusy, kIdle };
    State state = State::kFree;
    std::string space;
    std::vector<Token> tokens;
    std::list<SequenceId>::iterator place;  // In idle_, while idle.
  };

  SequenceId Fork(const std::string& space, SequenceId source, int length);
  SequenceId TakeOver(SequenceId source, int length);
  SequenceId FindFree() const;
  void Evict(SequenceId sequence);
  void Clear(SequenceId sequence);
  void Remember(SequenceId sequence);
  void FollowRunning(Span<const Token> tokens, PrefixTree::Match* match) const;
  void MakeBusy(SequenceId sequence);
  bool MayFork(SequenceId source, int length) const;

  KvCacheOptions options_;
  CellTable cells_;
  std::map<std::string, PrefixTree> trees_;  // By space; none is empty.
  std::vector<Entry> entries_;
  std::list<SequenceId> idle_;  // Least recently used first.
  std::bitset<kMaxSequences> busy_;
  int num_busy_ = 0;
  std::vector<CacheOp> ops_;
};

}  // namespace winnow
