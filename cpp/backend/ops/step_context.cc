#include "backend/ops/step_context.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "backend/ops/tensor_rows.h"
#include "ggml-cpu-impl.h"

namespace winnow {
namespace {

constexpr int64_t kRowsAlone = 4;  // Up to here, quantizing again on every thread is cheaper than waiting.

struct Registry {
  std::shared_mutex mutex;
  std::vector<std::pair<const ggml_threadpool*, StepContext*>> contexts;
};

Registry& GetRegistry() {
  static Registry* registry = new Registry;  // Never destroyed: threads may ask until the process ends.
  return *registry;
}

float* NewScratch() {
  constexpr size_t kBytes =
      (kernels::AttentionScratch(kernels::kMaxHeadSize, kernels::kMaxHeadSize) * sizeof(float) + 63) / 64 * 64;
  void* scratch = std::aligned_alloc(64, kBytes);
  if (scratch == nullptr) throw std::bad_alloc();
  std::fill_n(static_cast<float*>(scratch), kBytes / sizeof(float), 0.0f);
  return static_cast<float*>(scratch);
}

}  // namespace

void CellTable::Sort(int32_t* cells, int64_t count, int32_t* scratch) const {
  int64_t i = 1;
  while (i < count && positions_[cells[i - 1]] < positions_[cells[i]]) ++i;
  if (i >= count) return;
  auto by_position = [this](int32_t a, int32_t b) { return positions_[a] < positions_[b]; };
  const auto [first, last] = std::minmax_element(cells, cells + count, by_position);
  const Position begin = positions_[*first], end = positions_[*last] + 1;
  if (end - begin != count) return std::sort(cells, cells + count, by_position);
  for (i = 0; i < count; ++i) scratch[positions_[cells[i]] - begin] = cells[i];
  std::copy_n(scratch, count, cells);
}

StepContext::StepContext(const StepContextOptions& options)
    : options_(options),
      threads_(options.max_threads),
      activation_bytes_(kernels::ActivationBytes(options.max_rows, options.max_inputs)),
      activations_(new kernels::ActivationBlock[activation_bytes_ / sizeof(kernels::ActivationBlock)]),
      tables_(options.num_cell_tables, CellTable(options.max_cells)),
      visible_(options.num_cell_tables),
      indices_of_table_(options.num_cell_tables) {
  for (ThreadState& state : threads_) {
    state.masks.resize(options.num_cell_tables);
    state.own.reset(new kernels::ActivationBlock[options.max_inputs / kernels::kBlockSize + 1]);
    state.cells.resize(options.max_cells);
    scratch_.emplace_back(NewScratch());
  }
  for (Visible& visible : visible_) {
    visible.cells.reset(new int32_t[static_cast<size_t>(options.max_rows) * options.max_cells]);
    visible.counts.resize(options.max_rows);
    visible.first_positions.resize(options.max_rows);
    visible.view = {visible.cells.get(), options.max_cells, visible.counts.data(), visible.first_positions.data(), 0};
  }
}

StepContext::~StepContext() {
  Registry& registry = GetRegistry();
  std::unique_lock lock(registry.mutex);
  auto& contexts = registry.contexts;
  contexts.erase(
      std::remove_if(contexts.begin(), contexts.end(), [this](const auto& entry) { return entry.second == this; }),
      contexts.end());
}

StepContext* StepContext::Find(const ggml_threadpool* pool) {
  Registry& registry = GetRegistry();
  std::shared_lock lock(registry.mutex);
  for (const auto& [known, context] : registry.contexts) {
    if (known == pool) return context;
  }
  return nullptr;
}

void StepContext::Register(const ggml_threadpool* pool) {
  Registry& registry = GetRegistry();
  std::unique_lock lock(registry.mutex);
  registry.contexts.emplace_back(pool, this);
}

void StepContext::BeginStep(Span<const Position> positions) {
  positions_ = positions;
  for (ThreadState& state : threads_) {
    state.quantized = state.quantized_alone = nullptr;
    std::fill(state.masks.begin(), state.masks.end(), nullptr);
    state.num_deals = 0;
  }
  for (auto& dealt : dealt_) dealt = 0;
  std::fill(indices_of_table_.begin(), indices_of_table_.end(), nullptr);
}

const kernels::ActivationBlock* StepContext::Quantize(const ThreadRange& thread, const ggml_tensor* x) {
  ThreadState& state = threads_[thread.index];
  const int64_t rows = ggml_nrows(x), k = x->ne[0];
  if (kernels::ActivationBytes(rows, k) > activation_bytes_ || k > options_.max_inputs) return nullptr;
  if (rows <= kRowsAlone) {
    if (state.quantized_alone != x) QuantizeRows(kernels(), x, 0, rows, state.own.get());
    state.quantized_alone = x;
    return state.own.get();
  }
  if (state.quantized != x) {
    QuantizeGroups(kernels(), thread, x, activations_.get());
    ggml_barrier(thread.pool);
    state.quantized = x;
  }
  return activations_.get();
}

void StepContext::BeginDeal(const ThreadRange& thread) {
  const int64_t deal = threads_[thread.index].num_deals++;
  if (thread.index == 0) dealt_[(deal + 1) % 4].store(0, std::memory_order_relaxed);
}

int64_t StepContext::Deal(const ThreadRange& thread, int64_t step, int64_t count) {
  const int64_t deal = threads_[thread.index].num_deals - 1;
  const int64_t number = dealt_[deal % 4].fetch_add(step, std::memory_order_relaxed);
  return number < count ? number : -1;
}

int StepContext::TableOf(const void* keys) const {
  for (const auto& [known, table] : table_of_keys_) {
    if (known == keys) return table;
  }
  return -1;
}

void StepContext::NoteCells(const void* keys, Span<const int64_t> indices) {
  if (indices.size() != positions_.size()) return;
  int table = TableOf(keys);
  if (table < 0) {  // A layer's first step: it belongs to the cache whose cells these are.
    auto same = std::find(indices_of_table_.begin(), indices_of_table_.end(), indices.data());
    if (same == indices_of_table_.end()) {
      if (num_tables_used_ == static_cast<int>(tables_.size())) return;
      same = indices_of_table_.begin() + num_tables_used_++;
    }
    table = static_cast<int>(same - indices_of_table_.begin());
    table_of_keys_.emplace_back(keys, table);
  }
  if (indices_of_table_[table] == indices.data()) return;
  indices_of_table_[table] = indices.data();
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= 0 && indices[i] < tables_[table].size()) tables_[table].Set(indices[i], positions_[i]);
  }
}

void StepContext::SetCells(const void* keys, Span<const int64_t> cells, Span<const Position> positions) {
  const int table = TableOf(keys);
  if (table < 0) return;
  for (size_t i = 0; i < cells.size(); ++i) tables_[table].Set(cells[i], positions[i]);
}

void StepContext::FindRow(ThreadState* state, int table, const ggml_tensor* mask, int64_t row) {
  Visible& visible = visible_[table];
  int32_t* cells = visible.cells.get() + row * options_.max_cells;
  const auto* seen = reinterpret_cast<const uint16_t*>(static_cast<const char*>(mask->data) + row * mask->nb[1]);
  const int64_t count = kernels().scan_mask(seen, mask->ne[0], cells);
  tables_[table].Sort(cells, count, state->cells.data());
  visible.counts[row] = static_cast<int32_t>(count);
  visible.first_positions[row] = count > 0 ? tables_[table].PositionOf(cells[0]) : 0;
}

const kernels::VisibleCells* StepContext::FindVisible(const ThreadRange& thread, const void* keys,
                                                      const ggml_tensor* mask) {
  const int table = TableOf(keys);
  const auto rows = static_cast<int64_t>(positions_.size());
  if (table < 0 || mask->ne[1] < rows || mask->ne[0] > options_.max_cells || mask->ne[0] % 32 != 0) return nullptr;
  ThreadState& state = threads_[thread.index];
  if (state.masks[table] != mask) {
    for (int64_t row = thread.index; row < rows; row += thread.count) FindRow(&state, table, mask, row);
    if (thread.index == 0) visible_[table].view.rows = rows;
    ggml_barrier(thread.pool);
    state.masks[table] = mask;
  }
  return &visible_[table].view;
}

}  // namespace winnow
