#include "kv_cache/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace winnow {

KvCache::KvCache(const KvCacheOptions& options)
    : options_(options), cells_(options.num_cells, options.max_sequences), entries_(options.max_sequences) {
  assert(options.max_sequences >= 1 && options.max_sequences <= kMaxSequences);
}

PrefixTree::Match KvCache::FindLongestPrefix(const std::string& space, Span<const Token> tokens, int max_length) const {
  auto tree = trees_.find(space);
  if (tree == trees_.end() || max_length <= 0) return {};
  PrefixTree::Match match = tree->second.Find(tokens, busy_);
  FollowRunning(tokens, &match);
  match.length = std::min(match.length, max_length);
  if (match.length <= 0 || !MayFork(match.sequence, match.length)) return {};
  return match;
}

// The tree knows what a sequence held when it was published; a running one has more by now.
void KvCache::FollowRunning(Span<const Token> tokens, PrefixTree::Match* match) const {
  const std::bitset<kMaxSequences> running = match->sequences & busy_;
  const int length = match->length;
  for (SequenceId id = 0; running.any() && id < max_sequences(); ++id) {
    if (!running[id]) continue;
    Span<const Token> held = entries_[id].tokens;
    size_t common = length;
    while (common < std::min(held.size(), tokens.size()) && held[common] == tokens[common]) ++common;
    if (static_cast<int>(common) > match->length) *match = {id, static_cast<int>(common), match->sequences};
  }
}

// Layers with a sliding window lose the cells behind it, so that a longer sequence can't be cut back to a prefix.
bool KvCache::MayFork(SequenceId source, int length) const {
  return options_.sliding_window == 0 || length == Length(source) || Length(source) <= options_.sliding_window;
}

std::optional<SequenceId> KvCache::Begin(const std::string& space, SequenceId source, int length) {
  if (length == 0) source = kNoSequence;
  bool loses_nothing =
      source != kNoSequence && entries_[source].state == Entry::State::kIdle && length == Length(source);
  if (loses_nothing) return TakeOver(source, length);
  bool has_room = num_used_sequences() < max_sequences() || !idle_.empty();
  if (!has_room) return std::nullopt;
  bool only_source_is_idle = num_used_sequences() == max_sequences() && idle_.size() == 1 && idle_.front() == source;
  return only_source_is_idle ? TakeOver(source, length) : Fork(space, source, length);
}

SequenceId KvCache::Fork(const std::string& space, SequenceId source, int length) {
  bool source_is_idle = source != kNoSequence && entries_[source].state == Entry::State::kIdle;
  if (source_is_idle) idle_.splice(idle_.end(), idle_, entries_[source].place);  // Used now, so evicted last.
  if (num_used_sequences() == max_sequences()) Evict(idle_.front());
  SequenceId target = FindFree();
  MakeBusy(target);
  entries_[target].space = space;
  if (length > 0) {
    cells_.Copy(source, target, length);
    const std::vector<Token>& tokens = entries_[source].tokens;
    entries_[target].tokens.assign(tokens.begin(), tokens.begin() + length);
    ops_.push_back({CacheOp::Kind::kCopy, source, target, 0, length});
  }
  return target;
}

SequenceId KvCache::TakeOver(SequenceId source, int length) {
  idle_.erase(entries_[source].place);
  MakeBusy(source);
  if (length < Length(source)) {
    ops_.push_back({CacheOp::Kind::kRemove, kNoSequence, source, length, Length(source)});
    cells_.Truncate(source, length);
    entries_[source].tokens.resize(length);
    Remember(source);
  }
  return source;
}

void KvCache::Append(Span<const SequenceId> sequences, Token token) {
  while (cells_.num_used() == cells_.num_cells() && !idle_.empty()) Evict(idle_.front());
  cells_.Append(sequences);
  for (SequenceId id : sequences) entries_[id].tokens.push_back(token);
}

void KvCache::Publish(SequenceId sequence) {
  if (options_.can_fork) Remember(sequence);
}

void KvCache::Remember(SequenceId sequence) {
  const Entry& entry = entries_[sequence];
  trees_[entry.space].Insert(sequence, entry.tokens);
}

void KvCache::Retire(SequenceId sequence) {
  assert(entries_[sequence].state == Entry::State::kBusy);
  if (!options_.can_fork || Length(sequence) == 0) return Drop(sequence);
  Remember(sequence);
  cells_.SetBusy(sequence, false);
  busy_.reset(sequence);
  --num_busy_;
  entries_[sequence].state = Entry::State::kIdle;
  entries_[sequence].place = idle_.insert(idle_.end(), sequence);
  while (options_.max_idle_cells > 0 && num_idle_cells() > options_.max_idle_cells) Evict(idle_.front());
}

void KvCache::Drop(SequenceId sequence) {
  assert(entries_[sequence].state == Entry::State::kBusy);
  busy_.reset(sequence);
  --num_busy_;
  Clear(sequence);
}

void KvCache::EvictIdle() {
  while (!idle_.empty()) Evict(idle_.front());
}

void KvCache::Evict(SequenceId sequence) {
  idle_.erase(entries_[sequence].place);
  Clear(sequence);
}

void KvCache::Clear(SequenceId sequence) {
  if (auto tree = trees_.find(entries_[sequence].space); tree != trees_.end()) {
    tree->second.Remove(sequence);
    if (tree->second.num_nodes() == 0) trees_.erase(tree);
  }
  if (int length = Length(sequence)) ops_.push_back({CacheOp::Kind::kRemove, kNoSequence, sequence, 0, length});
  cells_.Truncate(sequence, 0);
  cells_.SetBusy(sequence, false);
  entries_[sequence].tokens.clear();
  entries_[sequence].space.clear();
  entries_[sequence].state = Entry::State::kFree;
}

void KvCache::MakeBusy(SequenceId sequence) {
  entries_[sequence].state = Entry::State::kBusy;
  cells_.SetBusy(sequence, true);
  busy_.set(sequence);
  ++num_busy_;
}

SequenceId KvCache::FindFree() const {
  for (SequenceId id = 0; id < max_sequences(); ++id) {
    if (entries_[id].state == Entry::State::kFree) return id;
  }
  assert(false && "the caller has checked");
  return kNoSequence;
}

std::vector<CacheOp> KvCache::TakeOps() { return std::exchange(ops_, {}); }

}  // namespace winnow
