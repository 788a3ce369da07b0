#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/span.h"
#include "base/types.h"
#include "ggml-cpu.h"
#include "kernels/kernels.h"

// What our operations inside ggml's graph need to know of the step that runs, and what they keep from one operation to
// the next. ggml hands an operation nothing but tensors and the thread pool, so a context is found by its pool.
namespace winnow {

struct StepContextOptions {
  const kernels::Kernels* kernels = nullptr;
  int max_threads = 1;
  int max_rows = 1;         // Of a step.
  int max_cells = 1;        // Of the cache; a multiple of 32.
  int max_inputs = 1;       // Values of k of the widest product.
  int num_cell_tables = 1;  // Caches of the model: 2 where some layers have a window.
};

// The cells of one cache: layers that write the same cells share it.
class CellTable {
 public:
  explicit CellTable(int max_cells) : positions_(max_cells, 0) {}
  void Set(int64_t cell, Position position) { positions_[cell] = position; }
  // Orders cells by their positions; writes to `scratch`, int32[max_cells].
  void Sort(int32_t* cells, int64_t count, int32_t* scratch) const;
  Position PositionOf(int32_t cell) const { return positions_[cell]; }
  int64_t size() const { return static_cast<int64_t>(positions_.size()); }

 private:
  std::vector<Position> positions_;
};

// One of several compute threads of an operation.
struct ThreadRange {
  int index = 0;
  int count = 1;
  ggml_threadpool* pool = nullptr;
};

class StepContext {
 public:
  explicit StepContext(const StepContextOptions& options);
  StepContext(const StepContext&) = delete;

  // The context of a pool, null if it has none. Any thread.
  static StepContext* Find(const ggml_threadpool* pool);
  // From now on, operations on `pool` find this context; until it is destroyed.
  void Register(const ggml_threadpool* pool);
  ~StepContext();

  const kernels::Kernels& kernels() const { return *options_.kernels; }

  // Engine thread, before each step: positions of its rows, which must live until the step's end.
  void BeginStep(Span<const Position> positions);

  // The operations' side. All threads of the pool call these for the same operations in the same order.

  // The rows of an activation tensor as bytes, quantized once for all the products that read it. Null if there is no
  // room.
  const kernels::ActivationBlock* Quantize(const ThreadRange& thread, const ggml_tensor* x);

  // Deals out numbers below `count`, `step` at a time: call BeginDeal once per operation, then Deal until it is
  // negative.
  void BeginDeal(const ThreadRange& thread);
  int64_t Deal(const ThreadRange& thread, int64_t step, int64_t count);

  // Thread 0 only: row i of the step went to cell indices[i] of the cache whose first layer's keys are at `keys`.
  void NoteCells(const void* keys, Span<const int64_t> indices);

  // Engine thread, between two steps: which tokens lie in these cells of the cache that has `keys`, since they were put
  // there by no step. Keys of no cache that was ever written to are passed over.
  void SetCells(const void* keys, Span<const int64_t> cells, Span<const Position> positions);

  // What each row sees by `mask`, float16[rows][cells], with −∞ for hidden cells. Null if the cache isn't known.
  const kernels::VisibleCells* FindVisible(const ThreadRange& thread, const void* keys, const ggml_tensor* mask);

  float* AttentionScratch(int thread) { return scratch_[thread].get(); }

  // Counts what ggml's kernels had to do, whose results depend on the batch.
  void NoteForeign() { num_foreign_.fetch_add(1, std::memory_order_relaxed); }
  int64_t num_foreign() const { return num_foreign_; }

 private:
  struct alignas(64) ThreadState {
    const ggml_tensor* quantized = nullptr;  // Whose bytes `activations_` or `own` holds.
    const ggml_tensor* quantized_alone = nullptr;
    std::vector<const ggml_tensor*> masks;  // [tables]: whose cells `visible_` holds.
    int64_t num_deals = 0;
    std::unique_ptr<kernels::ActivationBlock[]> own;  // Of a few rows, without waiting for other threads.
    std::vector<int32_t> cells;                       // Scratch.
  };
  struct Visible {
    std::unique_ptr<int32_t[]> cells;  // [max_rows][max_cells]; pages are touched as rows see more.
    std::vector<int32_t> counts;
    std::vector<int32_t> first_positions;
    kernels::VisibleCells view;
  };
  struct ScratchDeleter {
    void operator()(float* scratch) const { std::free(scratch); }
  };

  int TableOf(const void* keys) const;
  void FindRow(ThreadState* state, int table, const ggml_tensor* mask, int64_t row);

  const StepContextOptions options_;
  Span<const Position> positions_;
  std::vector<ThreadState> threads_;
  size_t activation_bytes_;
  std::unique_ptr<kernels::ActivationBlock[]> activations_;
  std::vector<std::unique_ptr<float, ScratchDeleter>> scratch_;  // [threads]
  // The one in use, and three whose turn comes: thread 0 sets the next one to 0 while all threads are known to be on
  // this one, since ggml lets no thread begin an operation before all have ended the one before.
  std::atomic<int64_t> dealt_[4] = {};

  std::vector<CellTable> tables_;
  std::vector<Visible> visible_;  // [tables]
  std::vector<std::pair<const void*, int>> table_of_keys_;
  int num_tables_used_ = 0;
  std::vector<const int64_t*> indices_of_table_;  // In this step.
  std::atomic<int64_t> num_foreign_{0};
};

}  // namespace winnow
