#pragma once

#include <array>
#include <cstdint>

#include "base/span.h"
#include "base/step_plan.h"
#include "engine/stats.h"

namespace winnow {

// Times by their logarithm: 8 buckets per doubling, so that a quantile is off by 4.5 % at most. No heap, no samples.
class LatencyMeter {
 public:
  void Record(double milliseconds);
  LatencyStats Summary() const;

 private:
  static constexpr int kPerOctave = 8;
  static constexpr double kSmallest = 1.0 / 64;  // Milliseconds; bucket 0 has all that is shorter.
  static constexpr int kBuckets = 30 * kPerOctave;

  double Quantile(double share) const;

  std::array<int64_t, kBuckets> counts_{};
  int64_t count_ = 0;
  double sum_ = 0;
  double max_ = 0;
};

// How many steps had how many rows: bucket i has those of 2^i … 2^(i+1) − 1, the last one all that have more.
class BatchMeter {
 public:
  void Record(int rows);
  Span<const int64_t> counts() const { return {counts_.data(), counts_.size()}; }

 private:
  std::array<int64_t, kBatchBuckets> counts_{};
};

// Shares a step's time among what its rows were for.
void AddByPhase(const StepPlan& plan, double milliseconds, PhaseTimes* times);

}  // namespace winnow
