#include "scheduler/scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

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

Resources SumOf(const Questions& questions) {
  Resources sum;
  for (const auto& tree : questions) sum = sum + Resources{static_cast<int>(tree->nodes.size()), tree->num_paths};
  return sum;
}

int CountReads(const Questions& questions) {
  int count = 0;
  for (const auto& tree : questions) {
    count += static_cast<int>(std::count_if(tree->nodes.begin(), tree->nodes.end(),
                                            [](const TokenTree::Node& node) { return node.wants_logits; }));
  }
  return count;
}

bool ReadsBase(const Questions& questions) {
  return std::any_of(questions.begin(), questions.end(), [](const auto& tree) { return tree->reads_base; });
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options)
    : options_(options), cache_(options.cache), turns_(options.adapter_turn_steps) {}

void Scheduler::Add(ScheduledRequest spec) {
  auto request = std::make_unique<OpenRequest>();
  if (spec.parent != kNoRequest) {
    auto parent = prefixes_.find(spec.parent);
    if (parent == prefixes_.end() || parent->second.is_closed) {
      throw Error("ERR_PREFIX_CLOSED", "The prefix is closed. Make a new one with prefill().");
    }
    request->parent = &parent->second;
    request->tokens = parent->second.tokens;
    spec.space = parent->second.space;
    spec.adapters = parent->second.adapters;
  }
  request->tokens.insert(request->tokens.end(), spec.prompt.begin(), spec.prompt.end());
  request->check_need = SumOf(spec.checks);
  request->num_check_reads = CountReads(spec.checks);
  request->question_need = LargerOf(LargestOf(spec.questions), request->check_need);
  request->reads_base = ReadsBase(spec.questions);
  request->needs_last_row = spec.pin || spec.num_candidates > 0 || request->reads_base;
  request->usage.prompt_tokens = static_cast<int>(request->tokens.size());
  request->rank = Rank(spec.submitted, spec.priority, spec.id);
  request->spec = std::move(spec);
  request->floor = FloorOf(*request);
  CheckFits(*request);
  if (request->parent != nullptr) ++request->parent->num_users;
  if (request->spec.deadline != kNever) deadlines_.emplace(request->spec.deadline, request->spec.id);
  queue_.Open(request.get());
  queue_.Push(request.get());
  request->group = turns_.Open(request->spec.adapters);
  request->cache_space = request->group->key + '|' + request->spec.space;
  requests_[request->spec.id] = std::move(request);
}

void Scheduler::Cancel(RequestId id) {
  OpenRequest* request = Find(id);
  if (request == nullptr) return;
  End(*request, /*keeps_cells=*/true);
  RemoveEnded();
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
  for (OpenRequest* request : running_) request->floor = FloorOf(*request);  // What it shared may be gone.
}

StepPlan Scheduler::Plan(TimeMs now) {
  now_ = now;
  step_end_ = static_cast<double>(now);
  ++num_steps_;
  growth_.OnStep();
  Expire(now);
  Step step;
  PlanStep(step);
  if (!step.has_work() && !running_.empty()) {
    Untangle();
    PlanStep(step);
  }
  step.plan.cache_ops = cache_.TakeOps();
  counts_.held_steps += step.held.has_bound;
  return std::move(step.plan);
}

// The first group that has something to do has the step.
void Scheduler::PlanStep(Step& step) {
  for (AdapterGroup* group : turns_.Order()) {
    PlanGroup(step, *group);
    if (!step.has_rows()) continue;
    step.plan.adapters = group->adapters;
    return turns_.Take(group);
  }
}

// Others keep what they hold, and get nothing more.
void Scheduler::PlanGroup(Step& step, AdapterGroup& group) {
  step.group = &group;
  step.allotted = 0;
  for (OpenRequest* request : running_) {
    request->allotted = 0;
    for (auto& base : request->bases) base->allotted = 0;
  }
  step.tokens_left = options_.max_step_tokens;
  step.outputs_left = options_.max_step_outputs;
  for (OpenRequest* request : running_) {
    if (step.Serves(*request)) Allot(step, *request);
  }
  Admit(step);
  step.held = FindHeldBack();  // Candidates have started by now.
  PlanDecodes(step);
  for (OpenRequest* request : running_) {
    if (!step.Serves(*request)) continue;
    for (auto& base : request->bases) {
      if (base->state == Base::State::kScoring) PlanQuestions(step, *request, *base);
    }
  }
  PlanPrompts(step);
}

// Nothing can move. That takes copies: sequences that hold the same tokens in cells of their own, where `floor` counts
// on cells shared with a pinned prefix. With all of them gone, what begins again shares.
void Scheduler::Untangle() {
  Step none;
  for (OpenRequest* request : running_) {
    while (PreemptLast(none, *request, 0, /*gives_prompt=*/true)) {
    }
  }
  cache_.EvictIdle();
}

void Scheduler::Expire(TimeMs now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    OpenRequest& request = *Find(deadlines_.begin()->second);
    const ScheduledRequest& spec = request.spec;
    std::string had = request.has_begun ? "had generated " + std::to_string(request.usage.generated_tokens) + " tokens"
                                        : std::string("had not begun");
    auto timeout = static_cast<double>(spec.deadline - spec.submitted);
    FailRequest(request, "ERR_TIMEOUT",
                "The request " + had + " when its timeoutMs of " + std::to_string(spec.deadline - spec.submitted) +
                    " were over. Allow it more time, or ask for less at once.",
                {{"timeoutMs", timeout}, {"generatedTokens", request.usage.generated_tokens}});
  }
  RemoveEnded();
}

void Scheduler::Fail(const StepPlan& plan, const std::string& code, const std::string& message) {
  std::set<RequestId> served;
  for (const PlanRow& row : plan.rows) served.insert(row.request);
  for (const PlanRead& read : plan.reads) served.insert(read.request);
  for (const PlanRestore& restore : plan.restores) served.insert(restore.request);
  for (RequestId id : served) {
    OpenRequest& request = *Find(id);
    finished_.push_back({id, request.usage, code, message, {}});
    End(request, /*keeps_cells=*/false);
    Release(id);  // A prefix that was found in the cache is pinned already, and its row has not been saved.
  }
  RemoveEnded();
}

void Scheduler::FailRestore(const PlanRestore& restore, const std::string& code, const std::string& message) {
  OpenRequest& request = *Find(restore.request);
  finished_.push_back({restore.request, request.usage, code, message, {}});
  End(request, /*keeps_cells=*/false);
  RemoveEnded();
}

void Scheduler::FailRequest(OpenRequest& request, const std::string& code, const std::string& message,
                            ErrorFacts facts) {
  finished_.push_back({request.spec.id, request.usage, code, message, std::move(facts)});
  End(request, /*keeps_cells=*/true);
}

void Scheduler::End(OpenRequest& request, bool keeps_cells) {
  for (auto& base : request.bases) {
    for (Branch& branch : base->branches) {
      for (SequenceId path : branch.paths) cache_.Drop(path);
    }
    for (SequenceId path : base->check_paths) cache_.Drop(path);
    if (base->sequence != kNoSequence && base->owns_sequence) EndSequence(base->sequence, keeps_cells);
    Unreserve(*base, base->reserved);
  }
  if (request.sequence != kNoSequence) EndSequence(request.sequence, keeps_cells);
  if (request.state == OpenRequest::State::kWaiting) queue_.Remove(&request);
  deadlines_.erase({request.spec.deadline, request.spec.id});
  queue_.Close(&request);
  turns_.Close(std::exchange(request.group, nullptr));
  request.state = OpenRequest::State::kEnded;
  ended_.push_back(request.spec.id);
  if (Prefix* parent = std::exchange(request.parent, nullptr)) {
    if (--parent->num_users == 0 && parent->is_closed) Release(parent->id);
  }
}

void Scheduler::RemoveEnded() {
  if (ended_.empty()) return;
  auto has_ended = [](const OpenRequest* request) { return request->state == OpenRequest::State::kEnded; };
  running_.erase(std::remove_if(running_.begin(), running_.end(), has_ended), running_.end());
  following_.erase(std::remove_if(following_.begin(), following_.end(), has_ended), following_.end());
  for (RequestId id : std::exchange(ended_, {})) requests_.erase(id);
}

OpenRequest* Scheduler::Find(RequestId id) const {
  auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : found->second.get();
}

OpenRequest* Scheduler::FindRunning(RequestId id) const {
  OpenRequest* request = Find(id);
  return request != nullptr && request->state == OpenRequest::State::kRunning ? request : nullptr;
}

std::vector<FinishedRequest> Scheduler::TakeFinished() { return std::exchange(finished_, {}); }

std::vector<RequestId> Scheduler::TakeReleasedPrefixes() { return std::exchange(released_, {}); }

int Scheduler::PrefixLength(RequestId prefix) const {
  auto found = prefixes_.find(prefix);
  return found == prefixes_.end() ? -1 : static_cast<int>(found->second.tokens.size());
}

SequenceId Scheduler::SequenceOf(RequestId prefix) const {
  auto found = prefixes_.find(prefix);
  return found == prefixes_.end() ? kNoSequence : found->second.sequence;
}

bool Scheduler::UsesAdapter(AdapterId adapter) const {
  auto has_it = [adapter](const AdapterSet& set) {
    return std::any_of(set.begin(), set.end(), [&](const AdapterScale& each) { return each.adapter == adapter; });
  };
  return std::any_of(requests_.begin(), requests_.end(),
                     [&](const auto& r) { return has_it(r.second->spec.adapters); }) ||
         std::any_of(prefixes_.begin(), prefixes_.end(), [&](const auto& p) { return has_it(p.second.adapters); });
}

Span<const Token> Scheduler::PromptOf(RequestId id) const {
  const OpenRequest* request = Find(id);
  return request == nullptr ? Span<const Token>() : Span<const Token>(request->tokens);
}

}  // namespace winnow
