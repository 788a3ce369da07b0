#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "base/types.h"
#include "llama.h"

struct ggml_tensor;

// Keys and values of one sequence, out of llama.cpp's cache and back.
namespace winnow {

// The sequence's cells as llama_state_seq_set_data wants them. Throws ERR_UNSUPPORTED where the cells are not exactly
// one for each position from 0 to `length` − 1.
std::vector<uint8_t> SaveSequenceState(llama_context* context, SequenceId sequence, int length);

// Into a sequence that holds nothing. Throws ERR_PREFIX_FILE; the sequence is then empty.
void RestoreSequenceState(llama_context* context, SequenceId sequence, int length, Span<const uint8_t> state);

// Where a sequence lies in the cache: the same cells in every layer.
struct SequenceCells {
  std::vector<int64_t> cells;
  std::vector<Position> positions;  // [cells]
  std::vector<const void*> layers;  // Where each layer's keys and values begin.
};
SequenceCells FindSequenceCells(llama_context* context, SequenceId sequence);

}  // namespace winnow
