#include "kv_cache/cell_table.h"

#include <cassert>

namespace winnow {

CellTable::CellTable(int num_cells, int num_sequences)
    : owners_(num_cells), busy_owners_(num_cells), free_(num_cells), sequences_(num_sequences) {
  for (int i = 0; i < num_cells; ++i) free_[i] = num_cells - 1 - i;  // The lowest cell is handed out first.
}

int CellTable::CountBusy(SequenceId sequence, int length) const {
  int count = 0;
  for (int i = 0; i < length; ++i) count += busy_owners_[sequences_[sequence].cells[i]] > 0;
  return count;
}

int CellTable::CountUnion(Span<const SequenceId> sequences) const {
  std::vector<bool> is_counted(owners_.size());
  int count = 0;
  for (SequenceId id : sequences) {
    for (Cell cell : sequences_[id].cells) {
      count += !is_counted[cell];
      is_counted[cell] = true;
    }
  }
  return count;
}

void CellTable::Append(Span<const SequenceId> sequences) {
  assert(!free_.empty() && "the caller makes room first");
  Cell cell = free_.back();
  free_.pop_back();
  for (SequenceId id : sequences) {
    sequences_[id].cells.push_back(cell);
    AddOwner(cell, sequences_[id].is_busy);
  }
}

void CellTable::Copy(SequenceId source, SequenceId target, int length) {
  Sequence& to = sequences_[target];
  assert(to.cells.empty() && "two cells at one position");
  const std::vector<Cell>& from = sequences_[source].cells;
  to.cells.assign(from.begin(), from.begin() + length);
  for (Cell cell : to.cells) AddOwner(cell, to.is_busy);
}

void CellTable::Truncate(SequenceId sequence, int length) {
  Sequence& entry = sequences_[sequence];
  while (static_cast<int>(entry.cells.size()) > length) {
    RemoveOwner(entry.cells.back(), entry.is_busy);
    entry.cells.pop_back();
  }
}

void CellTable::SetBusy(SequenceId sequence, bool is_busy) {
  Sequence& entry = sequences_[sequence];
  if (entry.is_busy == is_busy) return;
  entry.is_busy = is_busy;
  for (Cell cell : entry.cells) is_busy ? AddBusy(cell) : RemoveBusy(cell);
}

void CellTable::AddOwner(Cell cell, bool is_busy) {
  if (owners_[cell]++ == 0) ++num_used_;
  if (is_busy) AddBusy(cell);
}

void CellTable::RemoveOwner(Cell cell, bool is_busy) {
  if (is_busy) RemoveBusy(cell);
  if (--owners_[cell] > 0) return;
  --num_used_;
  free_.push_back(cell);
}

void CellTable::AddBusy(Cell cell) {
  if (busy_owners_[cell]++ == 0) ++num_busy_;
}

void CellTable::RemoveBusy(Cell cell) {
  if (--busy_owners_[cell] == 0) --num_busy_;
}

}  // namespace winnow
