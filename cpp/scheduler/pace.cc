#include <algorithm>

#include "scheduler/scheduler.h"

namespace winnow {

void Scheduler::Measure(const StepPlan& plan, double milliseconds) {
  step_end_ = static_cast<double>(now_) + milliseconds;
  step_cost_.Record(static_cast<int>(plan.rows.size()), milliseconds);
}

// Candidates of the highest priority that generate have a token in every step, so a step may take what is left of the
// target since their last one.
Scheduler::HeldBack Scheduler::FindHeldBack() const {
  HeldBack held;
  if (options_.target_inter_token_ms <= 0) return held;
  double oldest = 0;
  for (const OpenRequest* request : running_) {
    for (const auto& base : request->bases) {
      if (base->state != Base::State::kDecoding) continue;
      bool is_higher = !held.is_on || request->spec.priority > held.below;
      if (is_higher) oldest = base->last_token_ms;
      if (is_higher) held.below = request->spec.priority;
      if (request->spec.priority == held.below) oldest = std::min(oldest, base->last_token_ms);
      held.is_on = true;
    }
  }
  double left = options_.target_inter_token_ms - (static_cast<double>(now_) - oldest);
  held.most_rows = step_cost_.RowsWithin(left, options_.max_step_tokens);
  return held;
}

bool Scheduler::IsHeldBack(const Step& step, const OpenRequest& request) {
  return step.held.is_on && request.spec.priority < step.held.below;
}

// Rows that the step still has for the request. Of what is held back, the first always has one: nothing stands still.
int Scheduler::TokensLeft(Step& step, const OpenRequest& request) {
  if (!IsHeldBack(step, request)) return step.tokens_left;
  int left = std::max(step.held.most_rows - static_cast<int>(step.plan.rows.size()), step.held.has_one ? 0 : 1);
  step.held.has_bound |= left == 0 && step.tokens_left > 0;
  return std::min(left, step.tokens_left);
}

}  // namespace winnow
