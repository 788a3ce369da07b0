#include "scheduler/scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/error.h"

namespace winnow {
namespace {

Resources LargestOf(const Questions& questions) {
  Resources largest;
  for (const auto& tree : questions) {
    largest.cells = std::max(largest.cells, static_cast<int>(tree->nodes.size()));
    largest.sequences = std::max(largest.sequences, tree->num_paths);
  }
  return largest;
}

bool ReadsBase(const Questions& questions) {
  return std::any_of(questions.begin(), questions.end(), [](const auto& tree) { return tree->reads_base; });
}

bool HasOwnPrompt(const RunningRequest& request) { return !request.spec.prompt.empty() || request.spec.pin; }

std::string Amount(const Resources& amount) {
  return std::to_string(amount.cells) + " cells and " + std::to_string(amount.sequences) + " sequences";
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options) : options_(options), cache_(options.cache) {}

void Scheduler::Add(ScheduledRequest spec) {
  auto request = std::make_unique<RunningRequest>();
  if (spec.parent != kNoRequest) {
    auto parent = prefixes_.find(spec.parent);
    if (parent == prefixes_.end() || parent->second.is_closed) {
      throw Error("ERR_PREFIX_CLOSED", "The prefix is closed. Make a new one with prefill().");
    }
    request->parent = &parent->second;
    request->tokens = parent->second.tokens;
  }
  request->tokens.insert(request->tokens.end(), spec.prompt.begin(), spec.prompt.end());
  request->question_need = LargestOf(spec.questions);
  request->base_need = request->question_need;
  if (spec.num_candidates > 0) request->base_need = request->base_need + Resources{spec.max_tokens, 1};
  request->reads_base = ReadsBase(spec.questions);
  request->needs_last_row = spec.pin || spec.num_candidates > 0 || request->reads_base;
  request->usage.prompt_tokens = static_cast<int>(request->tokens.size());
  request->spec = std::move(spec);
  CheckFits(*request);
  if (request->parent != nullptr) ++request->parent->num_users;
  waiting_.push_back(std::move(request));
}

// With nothing else in the cache, the request must fit.
void Scheduler::CheckFits(const RunningRequest& request) const {
  Resources total{cache_.num_cells(), cache_.max_sequences()};
  Resources need = PromptNeed(request, 0);
  if (!HasOwnPrompt(request)) need = need + Resources{static_cast<int>(request.tokens.size()), 1};
  if (total.Covers(need)) return;
  throw Error("ERR_CACHE_TOO_SMALL",
              "The request needs " + Amount(need) + " of the cache, which has " + Amount(total) +
                  ". Ask for fewer tokens or load the model with larger cacheTokens or maxSequences.");
}

void Scheduler::Cancel(RequestId id) {
  auto waiting = std::find_if(waiting_.begin(), waiting_.end(), [id](const auto& r) { return r->spec.id == id; });
  RunningRequest* request = waiting != waiting_.end() ? waiting->get() : FindRunning(id);
  if (request == nullptr) return;
  End(*request, /*keeps_cells=*/true);
  if (waiting != waiting_.end()) {
    waiting_.erase(waiting);
  } else {
    running_.erase(id);
  }
}

void Scheduler::Release(RequestId id) {
  auto found = prefixes_.find(id);
  if (found == prefixes_.end()) return;
  found->second.is_closed = true;
  if (found->second.num_users > 0) return;
  cache_.Retire(found->second.sequence);
  prefixes_.erase(found);
  released_.push_back(id);
  CountPinned();
}

StepPlan Scheduler::Plan() {
  Step step{{}, options_.max_step_tokens, options_.max_step_outputs};
  StartBases();
  Admit(step);
  PlanDecodes(step);
  for (auto& [id, request] : running_) {
    for (auto& base : request->bases) {
      if (base->state == Base::State::kScoring) PlanQuestions(step, *request, *base);
    }
  }
  PlanPrompts(step);
  step.plan.cache_ops = cache_.TakeOps();
  return std::move(step.plan);
}

// Idle cells and sequences are there for the taking: they are evicted when somebody needs them.
Resources Scheduler::Available() const {
  return Resources{cache_.num_cells() - cache_.num_busy_cells(), cache_.max_sequences() - cache_.num_busy_sequences()} -
         reserved_;
}

// Of the prompt and the first base. The last candidate to start takes over the prompt's own sequence.
Resources Scheduler::PromptNeed(const RunningRequest& request, int num_busy_cells) const {
  Resources need = request.base_need;
  if (!HasOwnPrompt(request)) return need;
  need.cells += static_cast<int>(request.tokens.size()) - num_busy_cells;
  if (request.spec.num_candidates != 1) ++need.sequences;
  return need;
}

void Scheduler::Admit(Step& step) {
  while (!waiting_.empty() && TryAdmit(step, *waiting_.front())) {
    RequestId id = waiting_.front()->spec.id;
    running_[id] = std::move(waiting_.front());
    waiting_.pop_front();
  }
  if (running_.empty() && !waiting_.empty()) RefuseFirst();
}

bool Scheduler::TryAdmit(Step& step, RunningRequest& request) {
  if (!HasOwnPrompt(request)) {
    Resources need = PromptNeed(request, 0);
    if (!Available().Covers(need)) return false;
    Reserve(request.reserved, need);
    request.holds_base_need = true;
    request.usage.cached_tokens = request.usage.prompt_tokens;
    ReadPrompt(step, request, /*row=*/-1, request.spec.parent);
    CommitPrompt(request);
    return true;
  }
  bool has_saved_row = request.spec.prompt.empty();  // A fork of a pinned prefix.
  int limit = request.usage.prompt_tokens - (request.needs_last_row && !has_saved_row ? 1 : 0);
  PrefixTree::Match match = has_saved_row ? PrefixTree::Match{request.parent->sequence, limit}
                                          : cache_.FindLongestPrefix(request.tokens, limit);
  int num_busy_cells = match.length > 0 ? cache_.CountBusyCells(match.sequence, match.length) : 0;
  if (!Available().Covers(PromptNeed(request, num_busy_cells))) return false;
  BeginPrompt(step, request, match.sequence, match.length);
  return true;
}

void Scheduler::BeginPrompt(Step& step, RunningRequest& request, SequenceId source, int length) {
  Resources need = PromptNeed(request, length);  // All that is matched is busy from here on.
  need.sequences -= 1;
  request.sequence = *cache_.Begin(source, length);
  Reserve(request.reserved, need);
  request.holds_base_need = true;
  request.usage.cached_tokens = length;
  bool is_complete = length == request.usage.prompt_tokens;
  if (!is_complete) return;
  if (request.spec.pin) ReadPrompt(step, request, /*row=*/-1, request.spec.parent);
  CommitPrompt(request);
}

// Nothing runs, and still the first in line has no room: only pinned prefixes can be in its way.
void Scheduler::RefuseFirst() {
  std::unique_ptr<RunningRequest> request = std::move(waiting_.front());
  waiting_.pop_front();
  FinishedRequest finished{request->spec.id, request->usage, "ERR_CACHE_FULL",
                           "The request needs " + Amount(PromptNeed(*request, 0)) +
                               ", and pinned prefixes leave only " + Amount(Available()) +
                               ". Close prefixes or load the model with larger cacheTokens."};
  End(*request, /*keeps_cells=*/true);
  finished_.push_back(std::move(finished));
}

void Scheduler::Reserve(Resources& where, const Resources& amount) {
  where = where + amount;
  reserved_ = reserved_ + amount;
}

void Scheduler::Unreserve(Resources& where, Resources amount) {
  where = where - amount;
  reserved_ = reserved_ - amount;
  assert(where.cells >= 0 && where.sequences >= 0 && "more was used than promised");
}

std::vector<FinishedRequest> Scheduler::TakeFinished() { return std::exchange(finished_, {}); }

std::vector<RequestId> Scheduler::TakeReleasedPrefixes() { return std::exchange(released_, {}); }

int Scheduler::PrefixLength(RequestId prefix) const {
  auto found = prefixes_.find(prefix);
  return found == prefixes_.end() ? -1 : static_cast<int>(found->second.tokens.size());
}

Span<const Token> Scheduler::PromptOf(RequestId id) const {
  if (const RunningRequest* request = FindRunning(id)) return request->tokens;
  for (const auto& request : waiting_) {
    if (request->spec.id == id) return request->tokens;
  }
  return {};
}

}  // namespace winnow
