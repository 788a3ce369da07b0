#pragma once

#include <vector>

#include "base/adapter.h"
#include "base/span.h"
#include "base/types.h"

namespace winnow {

// What to do to the cache before a step's tokens are evaluated, in order.
struct CacheOp {
  enum class Kind { kCopy, kRemove };
  Kind kind = Kind::kRemove;
  SequenceId source = kNoSequence;  // kCopy: the sequence whose cells [0, end) get a second owner.
  SequenceId target = kNoSequence;  // kCopy: an empty sequence. kRemove: loses the cells [begin, end).
  Position begin = 0;
  Position end = 0;
};

enum class Phase { kPrefill, kGenerate, kScore };

// One token to evaluate. It takes one cell, owned by all of `sequences`.
struct PlanRow {
  Token token = 0;
  Position position = 0;
  int first_sequence = 0;  // Its sequences are StepPlan::sequences[first_sequence, + num_sequences).
  int num_sequences = 1;
  bool wants_logits = false;
  RequestId request = kNoRequest;  // Whom the row is charged to.
  Phase phase = Phase::kPrefill;
};

// Who reads a row of logits.
struct PlanRead {
  enum class Kind {
    kSample,  // Draw the next token of `candidate`.
    kScore,   // Read `node` of `question`, asked on `candidate` (-1 = on the prompt).
    kCheck,   // The same of a check, asked before the next token of `candidate` is drawn.
    kSave,    // Keep the row as the last row of `request`'s prompt.
  };
  Kind kind = Kind::kSample;
  int row = -1;  // Index into StepPlan::rows; -1 = the row saved for `saved_by`.
  RequestId saved_by = kNoRequest;
  RequestId request = kNoRequest;
  int candidate = -1;
  int question = 0;
  int node = -1;  // -1 = the row behind the base sequence itself.
};

// A prefix that comes out of a file: its cells are there after the step, as if they had been evaluated.
struct PlanRestore {
  RequestId request = kNoRequest;
  SequenceId sequence = kNoSequence;  // Empty before.
  int length = 0;
};

// One step: data in, data out. Rows of one sequence stand in the order of their positions.
struct StepPlan {
  std::vector<Token>
      source;  // Of an encoder–decoder model: to encode before the rows, for all sequences; mostly empty.
  std::vector<CacheOp> cache_ops;
  AdapterSet adapters;  // What source and rows are computed with.
  std::vector<PlanRow> rows;
  std::vector<SequenceId> sequences;
  std::vector<PlanRead> reads;
  std::vector<PlanRestore> restores;

  bool empty() const {
    return source.empty() && cache_ops.empty() && rows.empty() && reads.empty() && restores.empty();
  }
  Span<const SequenceId> SequencesOf(const PlanRow& row) const {
    return Span<const SequenceId>(sequences).Subspan(row.first_sequence, row.num_sequences);
  }
};

}  // namespace winnow
