#pragma once

#include <array>

namespace winnow {

// How many compute threads each step gets. All threads of a step wait for each other after every operation, so when
// somebody else takes a core, all wait for the thread that lost it, and fewer threads may be faster. Whether they are
// depends on the size of the step: each power of two of rows learns for itself, by trying another number for a few
// steps and keeping what was faster per row. Fewer threads are tried only while the calling thread gets less of a core
// than it wants; what trials lose stays under 2 % of the time.
// Deterministic: it reads no clock. Not thread-safe.
class ThreadGovernor {
 public:
  struct Step {
    int rows = 1;
    int threads = 1;          // What ThreadsFor(rows) gave.
    double seconds = 0;       // By the clock on the wall.
    double cpu_seconds = -1;  // In which the calling thread, one of `threads`, had a core; negative = unknown.
  };

  explicit ThreadGovernor(int max_threads);

  // Before a step: 1 … max_threads.
  int ThreadsFor(int rows) const { return lanes_[LaneOf(rows)].threads(); }
  // After it. Steps that failed are not recorded.
  void Record(const Step& step) { lanes_[LaneOf(step.rows)].Record(step); }

 private:
  // Steps of a similar size.
  class Lane {
   public:
    Lane() = default;
    explicit Lane(int max_threads) : max_threads_(max_threads), threads_(max_threads) {}
    int threads() const { return trial_.threads > 0 ? trial_.threads : threads_; }
    void Record(const Step& step);

   private:
    struct Trial {
      int threads = 0;  // 0 = no trial.
      int steps = 0;
      int rows = 0;
      double seconds = 0;
      double expected_seconds = 0;  // What the same rows took before.
    };

    void Watch(const Step& step);
    void Judge(const Step& step);
    void EndTrial(bool is_faster);
    int NextTrial();

    int max_threads_ = 1;
    int threads_ = 1;             // In use, apart from trials.
    double seconds_per_row_ = 0;  // Of the last few steps with them; 0 = none yet.
    int steps_since_trial_ = 0;
    int suspicion_ = 0;
    int num_failed_ = 0;  // Trials since the number last changed.
    double credit_ = 0;   // Seconds, at most 0: what trials have lost and steps have not yet paid back.
    Trial trial_;
  };

  static int LaneOf(int rows);

  std::array<Lane, 16> lanes_;
};

}  // namespace winnow
