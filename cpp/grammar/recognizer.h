#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "grammar/grammar.h"

namespace winnow {

// Reads a text byte by byte and knows at each whether the grammar allows it (Earley, "An efficient context-free parsing
// algorithm", CACM 1970; empty rules after Aycock and Horspool, "Practical Earley parsing", 2002). Bytes can be taken
// back. Works without recursion; a byte that would take more items or steps than the limits is not allowed.
class Recognizer {
 public:
  static constexpr size_t kMaxItems = 20000;       // Behind one byte.
  static constexpr size_t kMaxAllItems = 1 << 20;  // Of the whole text: 8 MiB.
  static constexpr uint64_t kMaxSteps = 500'000;   // For one byte.
  // Larger sets are sorted by the rules that their items wait for: looking through them for each completed rule would
  // take the square of their size.
  static constexpr size_t kMaxUnsorted = 64;

  explicit Recognizer(std::shared_ptr<const Grammar> grammar);

  // False if the byte may not come next; nothing has happened then.
  bool Push(uint8_t byte);
  // Takes back all bytes but the first `length`.
  void Truncate(size_t length);

  size_t length() const { return ends_.size() - 1; }
  // The text so far matches the whole grammar.
  bool is_complete() const { return is_complete_.back(); }
  // Some byte may come next.
  bool can_continue() const;
  // Items made and looked at since the beginning: what the work has cost.
  uint64_t num_steps() const { return num_steps_; }

 private:
  // A place in an alternative, and the length of the text when the alternative began.
  struct Item {
    int symbol;  // Into Grammar::symbols: what is expected next.
    int origin;
  };
  struct Slot {
    Item item{};
    uint64_t generation = 0;
  };

  bool Close();
  bool CloseItems();
  void SortByRule();
  int RuleBehind(const Item& item) const;
  std::pair<size_t, size_t> WaitingFor(int rule, int origin) const;
  void Add(Item item);
  bool Insert(Item item);
  void GrowTable();
  static bool IsSorted(size_t num_items) { return num_items > kMaxUnsorted; }
  void Predict(int rule, Item parent);
  void Complete(Item item);

  std::shared_ptr<const Grammar> grammar_;
  std::vector<Item> items_;          // Of all sets, one after the other.
  std::vector<size_t> ends_;         // [length + 1]: where the set behind each byte ends.
  std::vector<bool> is_complete_;    // [length + 1]
  std::vector<uint64_t> predicted_;  // [rules]: in which generation it was predicted last.
  // A hash set of the items of the set in the making, and of what is complete in it: symbol −1 − rule.
  std::vector<Slot> table_;
  size_t num_in_table_ = 0;
  uint64_t generation_ = 0;
  uint64_t num_steps_ = 0;
  size_t begin_ = 0;  // Of the set in the making.
};

}  // namespace winnow
