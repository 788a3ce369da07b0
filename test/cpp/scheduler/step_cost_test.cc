#include "scheduler/step_cost.h"

#include <gtest/gtest.h>

namespace winnow {
namespace {

void RecordOften(StepCost* cost, int rows, double milliseconds, int times = 40) {
  for (int i = 0; i < times; ++i) cost->Record(rows, milliseconds);
}

TEST(StepCost, NothingFitsBeforeAnythingWasMeasured) { EXPECT_EQ(StepCost().RowsWithin(1000, 512), 0); }

TEST(StepCost, BeyondTheLargestKnownStepCostsAreProportional) {
  StepCost cost;
  cost.Record(4, 20);
  EXPECT_EQ(cost.RowsWithin(19, 512), 0);
  EXPECT_EQ(cost.RowsWithin(20, 512), 4);
  EXPECT_EQ(cost.RowsWithin(60, 512), 12);
  EXPECT_EQ(cost.RowsWithin(60, 8), 8);
}

TEST(StepCost, BetweenTwoKnownStepsCostsAreALine) {
  StepCost cost;
  cost.Record(4, 20);
  cost.Record(64, 140);
  EXPECT_EQ(cost.RowsWithin(20, 512), 4);
  EXPECT_EQ(cost.RowsWithin(80, 512), 34);
  EXPECT_EQ(cost.RowsWithin(139.9, 512), 63);
}

TEST(StepCost, StepsThatVaryCostMoreThanTheirMean) {
  StepCost cost;
  for (int i = 0; i < 200; ++i) cost.Record(8, i % 2 ? 10 : 30);
  EXPECT_EQ(cost.RowsWithin(25, 512), 0);
  EXPECT_GE(cost.RowsWithin(45, 512), 8);
}

TEST(StepCost, FollowsAMachineThatBecomesSlower) {
  StepCost cost;
  RecordOften(&cost, 8, 10);
  RecordOften(&cost, 8, 40, 60);
  EXPECT_EQ(cost.RowsWithin(30, 512), 0);
}

TEST(StepCost, ASlowMomentIsForgottenWhenItsSizeWasNotTriedForLong) {
  StepCost cost;
  cost.Record(4, 10);
  cost.Record(64, 5000);
  EXPECT_LT(cost.RowsWithin(160, 512), 8);
  RecordOften(&cost, 4, 10, 257);
  EXPECT_EQ(cost.RowsWithin(160, 512), 64);
}

TEST(StepCost, StepsWithoutRowsTeachNothing) {
  StepCost cost;
  cost.Record(0, 5);
  EXPECT_EQ(cost.RowsWithin(100, 512), 0);
}

}  // namespace
}  // namespace winnow
