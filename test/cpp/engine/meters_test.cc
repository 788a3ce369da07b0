#include "engine/meters.h"

#include <gtest/gtest.h>

namespace winnow {
namespace {

TEST(LatencyMeter, QuantilesAreWithinABucket) {
  LatencyMeter meter;
  for (int i = 1; i <= 1000; ++i) meter.Record(i);
  LatencyStats stats = meter.Summary();
  EXPECT_EQ(stats.count, 1000);
  EXPECT_DOUBLE_EQ(stats.mean, 500.5);
  EXPECT_NEAR(stats.p50, 500, 500 * 0.045);
  EXPECT_NEAR(stats.p90, 900, 900 * 0.045);
  EXPECT_NEAR(stats.p99, 990, 990 * 0.045);
  EXPECT_EQ(stats.max, 1000);
}

TEST(LatencyMeter, TakesAnything) {
  LatencyMeter meter;
  EXPECT_EQ(meter.Summary().p99, 0);
  meter.Record(0);
  meter.Record(1e12);
  EXPECT_EQ(meter.Summary().count, 2);
  EXPECT_LE(meter.Summary().p50, 1.0 / 16);
  EXPECT_EQ(meter.Summary().max, 1e12);
}

TEST(BatchMeter, CountsStepsByPowersOfTwo) {
  BatchMeter meter;
  for (int rows : {1, 2, 3, 4, 7, 8, 512, 5000, 100000}) meter.Record(rows);
  std::vector<int64_t> counts(meter.counts().begin(), meter.counts().end());
  EXPECT_EQ(counts, (std::vector<int64_t>{1, 2, 2, 1, 0, 0, 0, 0, 0, 1, 0, 2}));
}

}  // namespace
}  // namespace winnow
