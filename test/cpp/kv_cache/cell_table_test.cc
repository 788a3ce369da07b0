#include "kv_cache/cell_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace winnow {
namespace {

void AppendTo(CellTable* cells, std::vector<SequenceId> sequences, int count) {
  for (int i = 0; i < count; ++i) cells->Append(sequences);
}

TEST(CellTable, ForkedSequencesShareTheirCells) {
  CellTable cells(10, 3);
  AppendTo(&cells, {0}, 4);
  cells.Copy(0, 1, 3);
  AppendTo(&cells, {1}, 1);
  EXPECT_EQ(cells.num_used(), 5);
  EXPECT_EQ(cells.Length(0), 4);
  EXPECT_EQ(cells.Length(1), 4);
}

TEST(CellTable, ACellIsFreeWhenItsLastOwnerIsGone) {
  CellTable cells(10, 3);
  AppendTo(&cells, {0}, 4);
  cells.Copy(0, 1, 4);
  cells.Truncate(0, 0);
  EXPECT_EQ(cells.num_used(), 4);
  cells.Truncate(1, 1);
  EXPECT_EQ(cells.num_used(), 1);
  cells.Truncate(1, 0);
  EXPECT_EQ(cells.num_used(), 0);
}

TEST(CellTable, ATokenOfSeveralSequencesTakesOneCell) {
  CellTable cells(10, 3);
  AppendTo(&cells, {0, 1, 2}, 2);
  EXPECT_EQ(cells.num_used(), 2);
  EXPECT_EQ(cells.Length(2), 2);
}

TEST(CellTable, ACellIsBusyWhileOneBusySequenceOwnsIt) {
  CellTable cells(10, 3);
  AppendTo(&cells, {0}, 4);
  EXPECT_EQ(cells.num_busy(), 0);
  cells.SetBusy(1, true);
  cells.Copy(0, 1, 3);
  EXPECT_EQ(cells.num_busy(), 3);
  EXPECT_EQ(cells.CountBusy(0, 4), 3);
  cells.SetBusy(0, true);
  EXPECT_EQ(cells.num_busy(), 4);
  cells.SetBusy(1, false);
  EXPECT_EQ(cells.num_busy(), 4);
  cells.Truncate(0, 0);
  EXPECT_EQ(cells.num_busy(), 0);
  EXPECT_EQ(cells.num_used(), 3);
}

TEST(CellTable, CountsSharedCellsOnceInAUnion) {
  CellTable cells(10, 3);
  AppendTo(&cells, {0}, 4);
  cells.Copy(0, 1, 4);
  AppendTo(&cells, {1}, 2);
  EXPECT_EQ(cells.CountUnion(std::vector<SequenceId>{0, 1}), 6);
}

}  // namespace
}  // namespace winnow
