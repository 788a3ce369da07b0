#include "backend/thread_governor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace winnow {
namespace {

// A machine whose threads share cores fairly and wait for each other. Seconds as measured with the default model on two
// cores: one row takes 21 ms on one thread and 12.5 ms on two; 50 ms on two beside a busy neighbour.
class Machine {
 public:
  explicit Machine(int num_cores) : num_cores_(num_cores), governor_(num_cores) {}

  int num_neighbours = 0;
  double work_per_row = 0.021;  // Of one thread, seconds; grows with the context.
  double serial_part = 0.15;
  double noise = 0.05;
  bool knows_cpu_time = true;

  // Runs a step as the governor wants it and returns its threads.
  int Run(int rows) {
    ThreadGovernor::Step step;
    step.rows = rows;
    step.threads = governor_.ThreadsFor(rows);
    step.seconds = SecondsOf(rows, step.threads) * std::uniform_real_distribution<>(1 - noise, 1 + noise)(random_);
    double share = std::uniform_real_distribution<>(0.4, 0.55)(random_);
    if (knows_cpu_time) step.cpu_seconds = step.seconds * (IsCrowded(step.threads) ? share : 0.99);
    governor_.Record(step);
    seconds_ += step.seconds;
    return step.threads;
  }

  // Steps with each number of threads.
  std::map<int, int> RunMany(int count, int rows) {
    std::map<int, int> steps;
    for (int i = 0; i < count; ++i) ++steps[Run(rows)];
    return steps;
  }

  double SecondsOf(int rows, int threads) const {
    double work = work_per_row * rows;
    if (!IsCrowded(threads)) return work * (serial_part + (1 - serial_part) / threads);
    double cores = static_cast<double>(threads) * num_cores_ / (threads + num_neighbours);
    return work / std::min(cores, 1.0 * threads) + kStall;
  }
  double seconds() const { return seconds_; }

 private:
  static constexpr double kStall =
      0.034;  // What the barriers of a step lose when they wait for a thread without a core.

  bool IsCrowded(int threads) const { return threads + num_neighbours > num_cores_; }

  int num_cores_;
  ThreadGovernor governor_;
  std::mt19937 random_{1};
  double seconds_ = 0;
};

TEST(ThreadGovernor, NeverLeavesAllThreadsOnAQuietMachine) {
  Machine machine(2);
  machine.noise = 0.5;
  for (int i = 0; i < 20000; ++i) {
    machine.work_per_row = 0.021 * (1 + i % 2000 / 500.0);  // Contexts that grow, and begin anew.
    ASSERT_EQ(machine.Run(1 + i * 37 % 600), 2) << i;
  }
}

TEST(ThreadGovernor, GivesUpACoreThatSomebodyElseTakes) {
  Machine machine(2);
  machine.RunMany(100, 1);
  machine.num_neighbours = 1;
  auto steps = machine.RunMany(64, 1);
  EXPECT_LE(steps[2], 5);  // Three to notice, and a trial of two threads.
}

TEST(ThreadGovernor, NoticesANeighbourThatWasThereFirst) {
  Machine machine(2);
  machine.num_neighbours = 1;
  EXPECT_LE(machine.RunMany(64, 1)[2], 6);
}

TEST(ThreadGovernor, KeepsTwoFifthsOfItsSpeedFromTheFirstStepOn) {
  Machine machine(2);
  machine.RunMany(64, 1);
  double quiet = machine.seconds();
  machine.num_neighbours = 1;
  machine.RunMany(64, 1);
  EXPECT_GT(quiet / (machine.seconds() - quiet), 0.5);
}

TEST(ThreadGovernor, TakesTheCoreBackWithinSecondsWhenItIsFree) {
  Machine machine(2);
  for (int round = 0; round < 20; ++round) {
    machine.num_neighbours = 1;
    machine.RunMany(200 + 7 * round, 1);
    machine.num_neighbours = 0;
    double start = machine.seconds();
    while (machine.Run(1) != 2) ASSERT_LT(machine.seconds() - start, 1.6);
    EXPECT_EQ(machine.RunMany(200, 1)[2], 200);
  }
}

TEST(ThreadGovernor, LosesUnderTwoPerCentToTrials) {
  Machine machine(2);
  machine.num_neighbours = 1;
  machine.RunMany(100, 1);
  double start = machine.seconds();
  machine.noise = 0;
  machine.RunMany(10000, 1);
  EXPECT_LT((machine.seconds() - start) / (10000 * machine.SecondsOf(1, 1)), 1.02);
}

TEST(ThreadGovernor, LearnsForEachSizeOfSteps) {
  Machine machine(2);
  machine.num_neighbours = 1;
  ASSERT_GT(machine.SecondsOf(1, 2), machine.SecondsOf(1, 1));
  ASSERT_LT(machine.SecondsOf(32, 2), machine.SecondsOf(32, 1));
  std::map<int, int> small, large;
  for (int i = 0; i < 2000; ++i) {
    ++small[machine.Run(1)];
    ++large[machine.Run(32)];
  }
  EXPECT_LE(small[2], 100);
  EXPECT_LE(large[1], 200);  // A quarter slower: one in ten costs 2 %.
}

TEST(ThreadGovernor, BearsAStarvedStepNowAndThen) {
  Machine machine(2);
  for (int i = 0; i < 5000; ++i) {
    machine.num_neighbours = i % 5 == 0;
    ASSERT_EQ(machine.Run(1), 2) << i;
  }
}

TEST(ThreadGovernor, FindsTheBestNumberOfManyThreads) {
  Machine machine(8);
  machine.work_per_row = 0.1;
  for (int num_neighbours : {1, 4, 2, 6, 0, 3}) {
    machine.num_neighbours = num_neighbours;
    machine.RunMany(2000, 1);
    auto steps = machine.RunMany(1000, 1);
    int best = 8;
    for (int threads = 1; threads <= 8; ++threads) {
      if (machine.SecondsOf(1, threads) < machine.SecondsOf(1, best)) best = threads;
    }
    double ideal = 1000 * machine.SecondsOf(1, best), real = 0;
    for (auto [threads, count] : steps) real += count * machine.SecondsOf(1, threads);
    EXPECT_LT(real / ideal, 1.1) << num_neighbours << " neighbours, best: " << best;
  }
}

TEST(ThreadGovernor, NeverTriesFewerThreadsWhereCpuTimeIsUnknown) {
  Machine machine(2);
  machine.knows_cpu_time = false;
  machine.num_neighbours = 1;
  EXPECT_EQ(machine.RunMany(1000, 1)[2], 1000);
}

TEST(ThreadGovernor, DoesNothingWithOneThread) {
  Machine machine(1);
  machine.num_neighbours = 3;
  EXPECT_EQ(machine.RunMany(1000, 1)[1], 1000);
}

TEST(ThreadGovernor, StaysWithinItsBoundsWhateverTheTimesAre) {
  std::mt19937 random(1);
  std::exponential_distribution<> time(1);
  ThreadGovernor governor(5);
  for (int i = 0; i < 100000; ++i) {
    int rows = 1 + static_cast<int>(random() % 100000);
    int threads = governor.ThreadsFor(rows);
    ASSERT_GE(threads, 1);
    ASSERT_LE(threads, 5);
    governor.Record({rows, threads, i % 100 ? time(random) : 0, time(random)});
  }
}

}  // namespace
}  // namespace winnow
