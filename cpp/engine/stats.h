#pragma once

#include <cstdint>

namespace winnow {

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
  int64_t callbacks = 0;  // Batches of events handed to clients.
};

}  // namespace winnow
