#pragma once

#include <cstddef>
#include <cstdint>

#include "base/span.h"
#include "kernels/packing.h"

// The arithmetic of a transformer's heavy operations, once per instruction set. Every output element is summed up in an
// order of its own, whatever else is computed with it: a row has the same bits alone and among 512.
namespace winnow::kernels {

constexpr int kGroupRows = 8;  // Rows of activations that lie together.

// 32 k of a group of rows, as signed bytes: x ≈ scale · q with |q| ≤ 127. Rows that are missing are not read.
struct alignas(64) ActivationBlock {
  int32_t q[8][kGroupRows];  // Four neighbouring k in a lane.
  float scale[kGroupRows];
  float sum[kGroupRows];  // 1024 · scale · Σ q: what a column's minimum is multiplied by.
  // Σ q as two int16 in a lane, over k ≡ 0, 1 and over k ≡ 2, 3 (mod 4): of all 32 k, and of the first 16.
  int32_t pairs[2][kGroupRows];
};

constexpr int64_t NumGroups(int64_t rows) { return (rows + kGroupRows - 1) / kGroupRows; }
constexpr size_t ActivationBytes(int64_t rows, int64_t k) {
  return NumGroups(rows) * (k / kBlockSize) * sizeof(ActivationBlock);
}

// A product of quantized weights and activations, or a part of one: the tiles [first_tile, last_tile) of `columns`.
struct GemmTask {
  WeightType type;
  const void* weights;                 // Packed.
  const ActivationBlock* activations;  // [NumGroups(rows)][k / 32]
  int64_t k;
  int64_t columns;
  int64_t rows;
  int64_t first_tile;
  int64_t last_tile;
  float* out;                         // [rows][columns]
  int64_t out_stride;                 // Floats between rows.
  const int32_t* out_rows = nullptr;  // Which row of `out` each row becomes; null = the same.
};

// The same for floating-point weights and float32 activations; products and sums are float32.
struct FloatGemmTask {
  WeightType type;
  const void* weights;        // Packed.
  const float* activations;   // [rows][k]
  int64_t activation_stride;  // Floats between rows.
  int64_t k;
  int64_t columns;
  int64_t rows;
  int64_t first_tile;
  int64_t last_tile;
  float* out;  // [rows][columns]
  int64_t out_stride;
  const int32_t* out_rows = nullptr;
};

// Which cells of the KV cache each row of a step sees, in the order of their positions.
struct VisibleCells {
  const int32_t* cells;  // Row i's list begins at i · stride.
  int64_t stride;
  const int32_t* counts;           // [rows]
  const int32_t* first_positions;  // [rows]: position of the first visible cell.
  int64_t rows;
};

enum class CacheType { kF16, kBF16, kF32 };

// softmax(scale · q · kᵀ) · v of the query heads that share one KV head, for the rows [first_row, last_row).
struct AttentionTask {
  const char* q;  // float32; strides in bytes
  int64_t q_row_stride;
  int64_t q_head_stride;
  const char* k;  // The KV head's part of cell 0.
  int64_t k_cell_stride;
  const char* v;
  int64_t v_cell_stride;
  CacheType type;
  char* out;  // float32
  int64_t out_row_stride;
  int64_t out_head_stride;
  int k_size;  // Values of a head; multiples of 8, at most kMaxHeadSize.
  int v_size;
  int group;  // Query heads of the KV head.
  float scale;
  VisibleCells visible;
  int64_t first_row;
  int64_t last_row;
  float* scratch;  // float32[AttentionScratch(...)], 64-byte aligned, finite.
};

constexpr int kMaxHeadSize = 256;
constexpr int kMaxTaskQueries = 512;  // Rows times query heads of one attention task, at most.
constexpr int kCellBlock = 64;        // Positions that are walked together: [64b, 64b + 64).
constexpr int kScoreRows = 48;        // Queries whose scores are held at once.
constexpr int RoundedToStrips(int columns) { return (columns + 31) / 32 * 32; }  // For every instruction set.
constexpr size_t AttentionScratch(int k_size, int v_size) {
  return static_cast<size_t>(k_size + RoundedToStrips(v_size)) * (kCellBlock + kMaxTaskQueries) +
         kScoreRows * (kCellBlock + 1) + 3 * kMaxTaskQueries;
}

template <class Task>
float* OutRow(const Task& task, int64_t row) {
  return task.out + (task.out_rows == nullptr ? row : task.out_rows[row]) * task.out_stride;
}

struct Kernels {
  const char* name;
  // `x`: float32[k]; writes row `row` of the group of rows `group`, [k / 32].
  void (*quantize_row)(const float* x, int64_t k, int row, ActivationBlock* group);
  void (*gemm)(const GemmTask& task);
  void (*float_gemm)(const FloatGemmTask& task);
  void (*attention)(const AttentionTask& task);
  // Cells whose half-precision mask is not −∞, in order; returns how many. `mask`: float16[size], size a multiple
  // of 32.
  int64_t (*scan_mask)(const uint16_t* mask, int64_t size, int32_t* cells);
};

// What this processor can run, slowest first; never empty.
Span<const Kernels* const> SupportedKernels();

// By name; null if there is none or this processor can't run it.
const Kernels* FindKernels(const char* name);

}  // namespace winnow::kernels
