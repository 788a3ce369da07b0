#pragma once

#include <algorithm>
#include <cmath>

namespace winnow {

// How much of what running candidates may still generate is kept free for them when something else wants to begin.
// Few candidates use up their max_tokens, so a part is enough; each preemption shows that it was not and raises the
// part, and quiet steps lower it again. 1 would be a promise: then nothing is ever preempted for want of cells. After
// SGLang's "new token ratio" (python/sglang/srt/managers/schedule_policy.py).
class GrowthEstimate {
 public:
  int Expect(int most) const { return static_cast<int>(std::ceil(share_ * most)); }
  void OnStep() { share_ = std::max(kLeast, share_ * kDecay); }
  void OnPreemption() { share_ = std::min(1.0, share_ + kRise); }
  double share() const { return share_; }

 private:
  static constexpr double kFirst = 0.5;
  static constexpr double kLeast = 0.1;
  static constexpr double kDecay = 0.998;  // Per step: halved after 350.
  static constexpr double kRise = 0.1;

  double share_ = kFirst;
};

}  // namespace winnow
