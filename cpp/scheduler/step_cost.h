#pragma once

#include <array>
#include <cstdint>

namespace winnow {

// What a step costs by its number of rows, learnt from the steps that were measured. Each size (4 per doubling) keeps a
// moving mean and a moving mean deviation, as TCP does for round trips (RFC 6298, section 2); between two known sizes
// the cost is a line, beyond the largest it is taken as proportional, which is at most too much: a step has costs of
// its own besides those of its rows.
class StepCost {
 public:
  void Record(int rows, double milliseconds);
  // Most rows, up to `most`, of a step that is expected to take no longer than `milliseconds`; 0 = not even the
  // smallest step that was seen lately.
  int RowsWithin(double milliseconds, int most) const;

 private:
  static constexpr int kPerOctave = 4;
  static constexpr int kSizes = 16 * kPerOctave;
  // A size that was not seen for as many steps is forgotten. A slow moment would otherwise keep it from being tried
  // again; and where it is too slow, one step in as many is too few to show in a 99th percentile.
  static constexpr int64_t kForget = 256;

  struct Size {
    int64_t last_step = 0;  // 0 = never seen.
    double rows = 0;        // Moving means.
    double mean = 0;        // Milliseconds.
    double deviation = 0;
  };

  std::array<Size, kSizes> sizes_{};
  int64_t num_steps_ = 0;
};

}  // namespace winnow
