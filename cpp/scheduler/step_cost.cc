#include "scheduler/step_cost.h"

#include <algorithm>
#include <cmath>

namespace winnow {
namespace {

// RFC 6298's weights, and half of its margin: a target that is missed now and then is no lost packet.
constexpr double kMeanWeight = 1.0 / 8;
constexpr double kDeviationWeight = 1.0 / 4;
constexpr double kMargin = 2;

}  // namespace

void StepCost::Record(int rows, double milliseconds) {
  if (rows <= 0) return;
  ++num_steps_;
  const int index = std::min(static_cast<int>(std::log2(rows) * kPerOctave), kSizes - 1);
  Size& size = sizes_[index];
  bool is_new = size.last_step == 0 || num_steps_ - size.last_step > kForget;
  if (is_new) {
    size = {num_steps_, static_cast<double>(rows), milliseconds, 0};
    return;
  }
  size.last_step = num_steps_;
  size.deviation += kDeviationWeight * (std::abs(milliseconds - size.mean) - size.deviation);
  size.mean += kMeanWeight * (milliseconds - size.mean);
  size.rows += kMeanWeight * (rows - size.rows);
}

int StepCost::RowsWithin(double milliseconds, int most) const {
  double rows = 0;
  double cost = 0;
  for (const Size& size : sizes_) {
    if (size.last_step == 0 || num_steps_ - size.last_step > kForget) continue;
    const double next = size.mean + kMargin * size.deviation;
    if (next > milliseconds) {
      if (rows == 0) return 0;
      double share = (milliseconds - cost) / (next - cost);
      return std::min(most, static_cast<int>(rows + share * (size.rows - rows)));
    }
    rows = size.rows;
    cost = next;
  }
  if (rows == 0) return 0;
  if (cost <= 0) return most;
  return static_cast<int>(std::min<double>(most, rows * milliseconds / cost));
}

}  // namespace winnow
