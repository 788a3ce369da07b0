#include "backend/sequence_state.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"
#include "ggml.h"
#include "llama-io.h"
#include "llama-memory.h"

namespace winnow {
namespace {

// What llama.cpp writes: magic and sequence id (of llama_state_seq_get_data), number of streams, number of cells; then
// for each cell its position, the number of its sequences and their ids; then the tensors.
constexpr size_t kContextHeader = 2 * sizeof(uint32_t);
constexpr size_t kMemoryHeader = 2 * sizeof(uint32_t);

struct CellMeta {
  Position position;
  uint32_t num_sequences;
};

uint32_t ReadWord(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

void AppendWord(std::vector<uint8_t>* bytes, uint32_t word) {
  const auto* begin = reinterpret_cast<const uint8_t*>(&word);
  bytes->insert(bytes->end(), begin, begin + sizeof(word));
}

// Reads the cells behind the memory header at `bytes`; returns the bytes that they take, or 0 if they are none of one
// stream with at most one id each.
size_t ReadCells(Span<const uint8_t> bytes, std::vector<CellMeta>* cells) {
  if (bytes.size() < kMemoryHeader || ReadWord(bytes.begin()) != 1) return 0;
  const uint32_t count = ReadWord(bytes.begin() + 4);
  size_t at = kMemoryHeader;
  for (uint32_t i = 0; i < count; ++i) {
    if (bytes.size() < at + 8) return 0;
    CellMeta cell{static_cast<Position>(ReadWord(bytes.begin() + at)), ReadWord(bytes.begin() + at + 4)};
    if (cell.num_sequences > 1) return 0;
    cells->push_back(cell);
    at += 8 + 4 * cell.num_sequences;
  }
  return at <= bytes.size() ? at : 0;
}

bool HoldsAll(std::vector<Position> positions, int length) {
  std::sort(positions.begin(), positions.end());
  for (int i = 0; i < static_cast<int>(positions.size()); ++i) {
    if (positions[i] != i) return false;
  }
  return static_cast<int>(positions.size()) == length;
}

std::vector<Position> PositionsOf(const std::vector<CellMeta>& cells) {
  std::vector<Position> positions;
  for (const CellMeta& cell : cells) positions.push_back(cell.position);
  return positions;
}

// Lets llama.cpp tell where it would read from, and reads nothing.
class WatchWrites : public llama_io_write_i {
 public:
  void write(const void* source, size_t size) override {
    const auto* bytes = static_cast<const uint8_t*>(source);
    if (runs.empty()) head.insert(head.end(), bytes, bytes + size);
    num_bytes_ += size;
  }
  void write_tensor(ggml_tensor* tensor, size_t offset, size_t size) override {
    runs.push_back({tensor, offset, size});
    num_bytes_ += size;
  }
  size_t n_bytes() override { return num_bytes_; }

  struct Run {
    const ggml_tensor* tensor;
    size_t offset;
    size_t size;
  };
  std::vector<uint8_t> head;  // All that comes before the first tensor.
  std::vector<Run> runs;

 private:
  size_t num_bytes_ = 0;
};

}  // namespace

std::vector<uint8_t> SaveSequenceState(llama_context* context, SequenceId sequence, int length) {
  std::vector<uint8_t> raw(llama_state_seq_get_size_ext(context, sequence, 0));
  raw.resize(llama_state_seq_get_data_ext(context, raw.data(), raw.size(), sequence, 0));
  std::vector<CellMeta> cells;
  const size_t header = std::min(kContextHeader, raw.size());
  const size_t meta = ReadCells(Span<const uint8_t>(raw).Subspan(header), &cells);
  if (meta == 0 || !HoldsAll(PositionsOf(cells), length)) {
    throw Error("ERR_UNSUPPORTED",
                "This model's cache keeps more than one cell per token, or less: it can't be saved.");
  }
  // llama.cpp writes no ids for sequences from n_seq_max on, which a unified cache has all the same, and refuses to
  // read such cells. One id is what it wants to find; which one, it does not look at.
  std::vector<uint8_t> state(raw.begin(), raw.begin() + kContextHeader + kMemoryHeader);
  state.reserve(raw.size() + 4 * cells.size());
  for (const CellMeta& cell : cells) {
    AppendWord(&state, static_cast<uint32_t>(cell.position));
    AppendWord(&state, 1);
    AppendWord(&state, 0);
  }
  state.insert(state.end(), raw.begin() + static_cast<ptrdiff_t>(kContextHeader + meta), raw.end());
  return state;
}

void RestoreSequenceState(llama_context* context, SequenceId sequence, int length, Span<const uint8_t> state) {
  size_t read = llama_state_seq_set_data_ext(context, state.begin(), state.size(), sequence, 0);
  SequenceCells found = FindSequenceCells(context, sequence);
  if (read == state.size() && HoldsAll(found.positions, length)) return;
  llama_memory_seq_rm(llama_get_memory(context), sequence, -1, -1);
  throw Error("ERR_PREFIX_FILE", "llama.cpp does not take what the file holds. Make the prefix again.");
}

SequenceCells FindSequenceCells(llama_context* context, SequenceId sequence) {
  WatchWrites watch;
  llama_get_memory(context)->state_write(watch, sequence, 0);
  std::vector<CellMeta> metas;
  SequenceCells found;
  if (watch.runs.empty() || ReadCells(watch.head, &metas) == 0) return found;
  const ggml_tensor* first = watch.runs.front().tensor;
  for (const WatchWrites::Run& run : watch.runs) {
    if (found.layers.empty() || found.layers.back() != run.tensor->data) found.layers.push_back(run.tensor->data);
    if (run.tensor != first) continue;
    const auto begin = static_cast<int64_t>(run.offset / first->nb[1]);
    const auto count = static_cast<int64_t>(run.size / first->nb[1]);
    for (int64_t i = 0; i < count; ++i) found.cells.push_back(begin + i);
  }
  found.positions = PositionsOf(metas);
  return found;
}

}  // namespace winnow
