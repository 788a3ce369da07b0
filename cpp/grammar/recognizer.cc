#include "grammar/recognizer.h"

#include <algorithm>
#include <limits>

namespace winnow {
namespace {

using Kind = Grammar::Symbol::Kind;

size_t HashOf(int symbol, int origin) {
  uint64_t x = static_cast<uint64_t>(static_cast<uint32_t>(symbol)) << 32 | static_cast<uint32_t>(origin);
  x *= 0x9E3779B97F4A7C15ULL;
  return static_cast<size_t>(x >> 32);
}

}  // namespace

Recognizer::Recognizer(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), predicted_(grammar_->rules.size()), table_(64) {
  ++generation_;
  predicted_[0] = generation_;
  for (int alternative : grammar_->rules[0]) Add({alternative, 0});
  if (Close()) return;
  ends_.push_back(0);  // Beyond the limits from the start: no byte may come.
  is_complete_.push_back(grammar_->is_nullable[0]);
}

// Precondition: items_ from begin_ on are the new set's first items. False if it grows too large: it is gone then.
bool Recognizer::Close() {
  if (!CloseItems()) {
    items_.resize(begin_);
    return false;
  }
  SortByRule();
  ends_.push_back(items_.size());
  return true;
}

bool Recognizer::CloseItems() {
  const uint64_t last_step = num_steps_ + kMaxSteps;
  bool is_complete = ends_.empty() && grammar_->is_nullable[0];
  for (size_t i = begin_; i < items_.size(); ++i) {
    const bool is_too_much = items_.size() - begin_ > kMaxItems || ++num_steps_ > last_step;
    if (is_too_much || items_.size() > kMaxAllItems) return false;
    const Item item = items_[i];
    const Grammar::Symbol& symbol = grammar_->symbols[item.symbol];
    if (symbol.kind == Kind::kRule) Predict(symbol.index, item);
    if (symbol.kind == Kind::kEnd) Complete(item);
    is_complete |= symbol.kind == Kind::kEnd && symbol.index == 0 && item.origin == 0;
  }
  is_complete_.push_back(is_complete);
  return true;
}

// Those that wait for no rule come last.
void Recognizer::SortByRule() {
  if (!IsSorted(items_.size() - begin_)) return;
  num_steps_ += items_.size() - begin_;
  std::sort(items_.begin() + begin_, items_.end(),
            [this](const Item& a, const Item& b) { return RuleBehind(a) < RuleBehind(b); });
}

int Recognizer::RuleBehind(const Item& item) const {
  const Grammar::Symbol& symbol = grammar_->symbols[item.symbol];
  return symbol.kind == Kind::kRule ? symbol.index : std::numeric_limits<int>::max();
}

// Of the items behind `origin`: a range that has all that wait for the rule.
std::pair<size_t, size_t> Recognizer::WaitingFor(int rule, int origin) const {
  const size_t begin = origin == 0 ? 0 : ends_[origin - 1];
  const size_t end = ends_[origin];
  if (!IsSorted(end - begin)) return {begin, end};
  const auto is_before = [this](const Item& item, int wanted) { return RuleBehind(item) < wanted; };
  const auto first = std::lower_bound(items_.begin() + begin, items_.begin() + end, rule, is_before);
  const auto last = std::lower_bound(first, items_.begin() + end, rule + 1, is_before);
  return {first - items_.begin(), last - items_.begin()};
}

void Recognizer::Predict(int rule, Item parent) {
  const int here = static_cast<int>(ends_.size());
  if (predicted_[rule] != generation_) {
    predicted_[rule] = generation_;
    for (int alternative : grammar_->rules[rule]) Add({alternative, here});
  }
  if (grammar_->is_nullable[rule]) Add({parent.symbol + 1, parent.origin});
}

// What began here and ended here is empty: Predict has stepped over it. A rule's second alternative that ends where the
// first did adds nothing.
void Recognizer::Complete(Item item) {
  if (item.origin == static_cast<int>(ends_.size())) return;
  const int rule = grammar_->symbols[item.symbol].index;
  if (!Insert({-1 - rule, item.origin})) return;
  const auto [begin, end] = WaitingFor(rule, item.origin);
  num_steps_ += end - begin;
  for (size_t i = begin; i < end; ++i) {
    const Item waiting = items_[i];
    if (RuleBehind(waiting) == rule) Add({waiting.symbol + 1, waiting.origin});
  }
}

bool Recognizer::Push(uint8_t byte) {
  const size_t first = ends_.size() < 2 ? 0 : ends_[ends_.size() - 2];
  begin_ = ends_.back();
  ++generation_;
  num_in_table_ = 0;
  for (size_t i = first; i < begin_; ++i) {
    const Grammar::Symbol& symbol = grammar_->symbols[items_[i].symbol];
    if (symbol.kind == Kind::kBytes && grammar_->byte_sets[symbol.index][byte])
      Add({items_[i].symbol + 1, items_[i].origin});
  }
  if (items_.size() == begin_) return false;
  return Close();
}

void Recognizer::Truncate(size_t length) {
  ends_.resize(length + 1);
  is_complete_.resize(length + 1);
  items_.resize(ends_.back());
}

bool Recognizer::can_continue() const {
  const size_t first = ends_.size() < 2 ? 0 : ends_[ends_.size() - 2];
  return std::any_of(items_.begin() + first, items_.end(),
                     [this](const Item& item) { return grammar_->symbols[item.symbol].kind == Kind::kBytes; });
}

void Recognizer::Add(Item item) {
  if (Insert(item)) items_.push_back(item);
}

// Open addressing; slots of older generations are empty.
bool Recognizer::Insert(Item item) {
  if (2 * (num_in_table_ + 1) > table_.size()) GrowTable();
  const size_t mask = table_.size() - 1;
  for (size_t at = HashOf(item.symbol, item.origin) & mask;; at = (at + 1) & mask) {
    Slot& slot = table_[at];
    if (slot.generation != generation_) {
      slot = {item, generation_};
      ++num_in_table_;
      return true;
    }
    if (slot.item.symbol == item.symbol && slot.item.origin == item.origin) return false;
  }
}

void Recognizer::GrowTable() {
  const std::vector<Slot> old = std::move(table_);
  table_.assign(old.size() * 2, {});
  num_in_table_ = 0;
  for (const Slot& slot : old) {
    if (slot.generation == generation_) Insert(slot.item);
  }
}

}  // namespace winnow
