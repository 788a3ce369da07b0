#include "engine/meters.h"

#include <algorithm>
#include <cmath>

namespace winnow {

void LatencyMeter::Record(double milliseconds) {
  double octaves = std::log2(std::max(milliseconds, kSmallest) / kSmallest);
  ++counts_[std::min(kBuckets - 1, static_cast<int>(octaves * kPerOctave))];
  ++count_;
  sum_ += milliseconds;
  max_ = std::max(max_, milliseconds);
}

LatencyStats LatencyMeter::Summary() const {
  LatencyStats stats;
  stats.count = count_;
  if (count_ == 0) return stats;
  stats.mean = sum_ / static_cast<double>(count_);
  stats.p50 = Quantile(0.5);
  stats.p90 = Quantile(0.9);
  stats.p99 = Quantile(0.99);
  stats.max = max_;
  return stats;
}

// The geometric middle of the bucket in which it lies.
double LatencyMeter::Quantile(double share) const {
  auto left = static_cast<int64_t>(std::ceil(share * static_cast<double>(count_)));
  int bucket = 0;
  while ((left -= counts_[bucket]) > 0) ++bucket;
  return std::min(max_, kSmallest * std::exp2((bucket + 0.5) / kPerOctave));
}

void BatchMeter::Record(int rows) {
  int bucket = 0;
  while (rows > 1 && bucket + 1 < kBatchBuckets) {
    rows /= 2;
    ++bucket;
  }
  ++counts_[bucket];
}

void AddByPhase(const StepPlan& plan, double milliseconds, PhaseTimes* times) {
  if (plan.rows.empty()) return;
  double share = milliseconds / static_cast<double>(plan.rows.size());
  for (const PlanRow& row : plan.rows) {
    (row.phase == Phase::kPrefill    ? times->prefill
     : row.phase == Phase::kGenerate ? times->generate
                                     : times->score) += share;
  }
}

}  // namespace winnow
