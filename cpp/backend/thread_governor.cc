#include "backend/thread_governor.h"

#include <algorithm>

namespace winnow {
namespace {

constexpr double kStarvedShare = 0.8;  // Of a core; 1.00 on a quiet machine, about 0.5 beside a busy thread.
constexpr int kStarvedStep = 4;        // What a starved step adds to the suspicion; any other step takes 1 away.
constexpr int kSuspicious = 3 * kStarvedStep;
constexpr int kStepsBetweenTrials = 4;  // Enough for a mean that is up to date.
constexpr int kTrialSteps = 8;
constexpr double kFaster = 0.95;       // Part of the former time that a trial must stay under.
constexpr double kGiveUp = 0.5;        // Steps' worth of time that a trial may lose before it is ended.
constexpr double kTrialBudget = 0.02;  // Part of the time that trials may lose.

bool IsStarved(const ThreadGovernor::Step& step) {
  return step.cpu_seconds >= 0 && step.cpu_seconds < kStarvedShare * step.seconds;
}

}  // namespace

ThreadGovernor::ThreadGovernor(int max_threads) { lanes_.fill(Lane(max_threads)); }

int ThreadGovernor::LaneOf(int rows) {
  int lane = 0;
  for (; rows > 1; rows /= 2) ++lane;
  return std::min(lane, 15);
}

void ThreadGovernor::Lane::Record(const Step& step) {
  if (step.threads != threads()) return;
  credit_ = std::min(0.0, credit_ + kTrialBudget * step.seconds);
  if (trial_.threads > 0) {
    Judge(step);
  } else {
    Watch(step);
    bool may_try = steps_since_trial_ >= kStepsBetweenTrials && credit_ >= 0;
    if (may_try) trial_.threads = NextTrial();
  }
}

void ThreadGovernor::Lane::Watch(const Step& step) {
  ++steps_since_trial_;
  double seconds_per_row = step.seconds / step.rows;
  seconds_per_row_ += (seconds_per_row - seconds_per_row_) / (seconds_per_row_ > 0 ? 3 : 1);
  suspicion_ = std::clamp(suspicion_ + (IsStarved(step) ? kStarvedStep : -1), 0, kSuspicious);
}

// 0 = none. Downwards, one thread less comes first: most often one core is taken. Upwards, all threads do: they are
// what is right once the core is free again. What fails makes room for the other ideas in turn.
int ThreadGovernor::Lane::NextTrial() {
  std::array<int, 4> ideas;
  int count = 0;
  if (suspicion_ == kSuspicious && threads_ > 1) {
    ideas[count++] = threads_ - 1;
    ideas[count++] = threads_ / 2;
  }
  if (threads_ < max_threads_) {
    ideas[count++] = max_threads_;
    ideas[count++] = threads_ + 1;
  }
  return count > 0 ? ideas[num_failed_ % count] : 0;
}

void ThreadGovernor::Lane::Judge(const Step& step) {
  ++trial_.steps;
  trial_.rows += step.rows;
  trial_.seconds += step.seconds;
  trial_.expected_seconds += step.rows * seconds_per_row_;
  double lost_steps = (trial_.seconds / trial_.expected_seconds - 1) * trial_.steps;
  if (lost_steps > kGiveUp) {
    EndTrial(/*is_faster=*/false);
  } else if (trial_.steps == kTrialSteps) {
    EndTrial(trial_.seconds < kFaster * trial_.expected_seconds);
  }
}

void ThreadGovernor::Lane::EndTrial(bool is_faster) {
  credit_ -= std::max(0.0, trial_.seconds - trial_.expected_seconds);
  num_failed_ = is_faster ? 0 : num_failed_ + 1;
  if (is_faster) {
    threads_ = trial_.threads;
    seconds_per_row_ = trial_.seconds / trial_.rows;
    suspicion_ = 0;
  }
  steps_since_trial_ = 0;
  trial_ = {};
}

}  // namespace winnow
