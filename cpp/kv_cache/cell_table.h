#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "base/types.h"

namespace winnow {

// Which sequence owns which cells. A cell is one token's keys and values; sequences that were forked share cells, and a
// cell is free again when its last owner is gone. Cells here are counted, not placed: llama.cpp chooses the slot.
class CellTable {
 public:
  CellTable(int num_cells, int num_sequences);

  int num_cells() const { return static_cast<int>(owners_.size()); }
  int num_used() const { return num_used_; }
  // Owned by at least one busy sequence; the other used cells could be had by evicting.
  int num_busy() const { return num_busy_; }
  int Length(SequenceId sequence) const { return static_cast<int>(sequences_[sequence].cells.size()); }
  bool IsBusy(SequenceId sequence) const { return sequences_[sequence].is_busy; }
  // Cells among the first `length` of the sequence that are busy already.
  int CountBusy(SequenceId sequence, int length) const;
  // Distinct cells that any of `sequences` owns.
  int CountUnion(Span<const SequenceId> sequences) const;

  // One new cell owned by all of `sequences`. Precondition: a cell is free.
  void Append(Span<const SequenceId> sequences);
  // `target` (empty) becomes a second owner of the first `length` cells of `source`.
  void Copy(SequenceId source, SequenceId target, int length);
  void Truncate(SequenceId sequence, int length);
  void SetBusy(SequenceId sequence, bool is_busy);

 private:
  using Cell = int32_t;
  struct Sequence {
    std::vector<Cell> cells;
    bool is_busy = false;
  };

  void AddOwner(Cell cell, bool is_busy);
  void RemoveOwner(Cell cell, bool is_busy);
  void AddBusy(Cell cell);
  void RemoveBusy(Cell cell);

  std::vector<uint16_t> owners_;       // [cells]
  std::vector<uint16_t> busy_owners_;  // [cells]
  std::vector<Cell> free_;
  std::vector<Sequence> sequences_;
  int num_used_ = 0;
  int num_busy_ = 0;
};

}  // namespace winnow
