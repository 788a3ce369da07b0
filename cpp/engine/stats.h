#pragma once

#include <array>
#include <cstdint>

namespace winnow {

constexpr int kBatchBuckets = 12;

// Milliseconds. Quantiles are off by 4.5 % at most.
struct LatencyStats {
  int64_t count = 0;
  double mean = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};

// Milliseconds. The first three share the steps' time by rows.
struct PhaseTimes {
  double prefill = 0;
  double generate = 0;
  double score = 0;
  double plan = 0;  // Deciding what the steps evaluate.
};

struct EngineStats {
  int running = 0;  // Requests.
  int waiting = 0;
  int used_cells = 0;
  int pinned_cells = 0;
  int idle_cells = 0;  // Of sequences that nobody runs and nobody pinned.
  int total_cells = 0;
  int used_sequences = 0;
  int idle_sequences = 0;
  int total_sequences = 0;
  int64_t steps = 0;
  int64_t evaluated_tokens = 0;
  int64_t generated_tokens = 0;
  int64_t prefix_hit_tokens = 0;  // Of finished requests.
  int64_t prefix_miss_tokens = 0;
  int64_t submitted_requests = 0;
  int64_t callbacks = 0;          // Batches of events handed to clients.
  int64_t preemptions = 0;        // Of candidates, prompts and questions.
  int64_t held_steps = 0;         // That had fewer rows than they could, for the target between tokens.
  int64_t recomputed_tokens = 0;  // Of finished requests: evaluated again after preemptions.
  std::array<int64_t, kBatchBuckets> batch_sizes{};  // Steps with 2^i … 2^(i+1) − 1 rows; the last bucket: or more.
  LatencyStats first_token;                          // From Submit.
  LatencyStats inter_token;                          // Of a candidate.
  PhaseTimes times;
};

}  // namespace winnow
