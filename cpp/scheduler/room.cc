#include <algorithm>
#include <cassert>
#include <utility>

#include "scheduler/scheduler.h"

namespace winnow {

// Cells for what the request evaluates next, the first by rank first. Rows follow later, so that whatever gives way
// here has none in this step.
void Scheduler::Allot(Step& step, OpenRequest& request) {
  if (!request.prompt_is_done) AllotPrompt(step, request);
  bool may_start = true;
  for (size_t i = 0; i < request.bases.size(); ++i) AllotBase(step, request, i, &may_start);
}

void Scheduler::AllotPrompt(Step& step, OpenRequest& request) {
  if (request.sequence == kNoSequence && !BeginPrompt(step, request)) return;
  if (request.prompt_is_done) return;
  int missing = request.usage.prompt_tokens - cache_.Length(request.sequence);
  const Claim claim{&request, 0};
  request.allotted = IsToRestore(request) ? AllotAll(step, claim, missing) : AllotRows(step, claim, missing);
}

// Nothing of it is in the cache: where all but the last row was found there, that row is evaluated.
bool Scheduler::IsToRestore(const OpenRequest& request) const {
  return request.spec.is_saved && cache_.Length(request.sequence) == 0;
}

// What is restored comes whole.
int Scheduler::AllotAll(Step& step, const Claim& claim, int wanted) {
  if (!MakeRoom(step, claim, {wanted, 0})) return 0;
  step.allotted += wanted;
  return wanted;
}

// `may_start`: candidates start in their order, so that none waits while a later one begins.
void Scheduler::AllotBase(Step& step, OpenRequest& request, size_t index, bool* may_start) {
  Base& base = *request.bases[index];
  if (base.state == Base::State::kDone) return;
  if (base.state == Base::State::kWaiting) *may_start = *may_start && StartBase(step, request, index);
  // Beams that were preempted share what the first of them evaluates again.
  const bool has_prompt = base.sequence != kNoSequence && cache_.Length(base.sequence) >= request.usage.prompt_tokens;
  if (request.spec.is_beam_search && !has_prompt) *may_start = false;
  if (base.state == Base::State::kWaiting) return;
  base.allotted = AllotRows(step, {&request, index + 1}, NumMissing(request, base));
  if (base.wants_check) AllotChecks(step, request, index);
  if (base.state == Base::State::kScoring) AllotQuestion(step, request, index);
}

// The next question has its room from before it begins until it ends.
void Scheduler::AllotQuestion(Step& step, OpenRequest& request, size_t index) {
  Base& base = *request.bases[index];
  Resources need = NeedOfNextQuestion(request, base);
  bool has_room = base.reserved.cells > 0;
  if (has_room || need.cells == 0) return;
  if (MakeRoom(step, {&request, index + 1}, need)) Reserve(base, need);
}

// Without room for its checks the candidate waits. They are short and many are due at once: only the first by rank
// takes from others what will be free again after this step.
void Scheduler::AllotChecks(Step& step, OpenRequest& request, size_t index) {
  Base& base = *request.bases[index];
  const Resources& need = request.check_need;
  bool is_due = base.allotted == 1 && NumMissing(request, base) == 1;
  if (!is_due || need.cells == 0 || base.reserved.cells > 0) return;
  const Claim claim{&request, index + 1};
  if (IsFirst(claim) ? MakeRoom(step, claim, need) : Spare(step).Covers(need)) return Reserve(base, need);
  step.allotted -= std::exchange(base.allotted, 0);
}

int Scheduler::AllotRows(Step& step, const Claim& claim, int wanted) {
  wanted = std::min(wanted, options_.max_step_tokens);
  MakeRoom(step, claim, {wanted, 0});
  int granted = std::clamp(Spare(step).cells, 0, wanted);
  step.allotted += granted;
  return granted;
}

bool Scheduler::StartBase(Step& step, OpenRequest& request, size_t index) {
  Base& base = *request.bases[index];
  const Claim claim{&request, index + 1};
  PrefixTree::Match match;
  while (true) {
    match = FindBaseStart(request, base);
    int num_idle = match.length - (match.length > 0 ? cache_.CountBusyCells(match.sequence, match.length) : 0);
    Resources now{num_idle, TakesOverPrompt(request, base) ? 0 : 1};
    Resources soon{KnownLength(request, base) - match.length, 0};
    if (!base.is_finished) soon.cells += growth_.Expect(request.spec.max_tokens);
    soon = soon + request.question_need;
    if (HasRoomToBegin(step, claim, now, soon)) break;
    if (!PreemptToBegin(step, claim, now + soon)) return false;
  }
  base.sequence = TakesOverPrompt(request, base) ? std::exchange(request.sequence, kNoSequence)
                                                 : *cache_.Begin(request.cache_space, match.sequence, match.length);
  base.state = base.is_finished ? Base::State::kScoring : Base::State::kDecoding;
  cache_.Publish(base.sequence);  // From now on, others find what it generates.
  ReleasePromptIfUnused(request);
  return true;
}

// A source of forks is of no use when no candidate waits.
void Scheduler::ReleasePromptIfUnused(OpenRequest& request) {
  auto is_waiting = [](const auto& base) { return base->state == Base::State::kWaiting; };
  bool is_used = std::any_of(request.bases.begin(), request.bases.end(), is_waiting);
  if (!is_used && request.sequence != kNoSequence) cache_.Retire(std::exchange(request.sequence, kNoSequence));
}

// The last candidate to start has the prompt's own sequence, once nobody needs it as a source of forks.
bool Scheduler::TakesOverPrompt(const OpenRequest& request, const Base& base) const {
  auto is_waiting = [](const auto& other) { return other->state == Base::State::kWaiting; };
  bool is_fresh = base.num_evaluated == static_cast<int>(request.tokens.size()) && !DrawsBehindPrompt(base);
  return request.sequence != kNoSequence && is_fresh &&
         std::count_if(request.bases.begin(), request.bases.end(), is_waiting) == 1;
}

PrefixTree::Match Scheduler::FindBaseStart(const OpenRequest& request, const Base& base) const {
  const int prompt_length = request.usage.prompt_tokens;
  bool is_fresh = base.num_evaluated == prompt_length && !DrawsBehindPrompt(base);
  if (is_fresh && request.sequence != kNoSequence) return {request.sequence, prompt_length, {}};
  if (is_fresh && !HasOwnPrompt(request)) return {request.parent->sequence, prompt_length, {}};
  std::vector<Token> tokens = request.tokens;
  tokens.insert(tokens.end(), base.generated.begin(), base.generated.end());
  bool reads_last_row = !base.is_finished || base.wants_base_row;
  return cache_.FindLongestPrefix(request.cache_space, tokens, KnownLength(request, base) - (reads_last_row ? 1 : 0));
}

// `now` becomes busy at once; `soon` is what will be needed later on. The first by rank looks at nothing but `now`:
// the rest it can take when the time comes.
bool Scheduler::HasRoomToBegin(const Step& step, const Claim& claim, const Resources& now,
                               const Resources& soon) const {
  return Spare(step).Covers(now) && (IsFirst(claim) || FreeBeyondGrowth().Covers(now + soon));
}

bool Scheduler::MakeRoom(Step& step, const Claim& claim, const Resources& need) {
  while (!Spare(step).Covers(need)) {
    if (!PreemptFor(step, claim, /*only_lower_priority=*/false)) return false;
    growth_.OnPreemption();
  }
  return true;
}

bool Scheduler::IsFirst(const Claim& claim) const {
  const auto& bases = claim.request->bases;
  auto is_done = [](const auto& base) { return base->state == Base::State::kDone; };
  const OpenRequest* first = running_.empty() ? claim.request : running_.front();
  bool overtakes = claim.request->state != OpenRequest::State::kRunning && claim.request->rank < first->rank &&
                   claim.request->spec.priority > first->spec.priority;
  bool leads = first == claim.request || overtakes;
  return leads && (claim.base == 0 || claim.request->spec.is_beam_search ||
                   std::all_of(bases.begin(), bases.begin() + claim.base - 1, is_done));
}

// What begins takes from those that run only if its priority is higher, and if that is enough. The first by rank must
// not depend on others.
bool Scheduler::PreemptToBegin(Step& step, const Claim& claim, const Resources& need) {
  if (IsFirst(claim)) return PreemptFor(step, claim, /*only_lower_priority=*/false);
  Resources free = FreeBeyondGrowth();
  for (const OpenRequest* other : running_) {
    if (GivesWayTo(claim, *other)) free = free + HeldBy(*other);
  }
  return free.Covers(need) && PreemptFor(step, claim, /*only_lower_priority=*/true);
}

// The first by rank gives way to nobody but a new first.
bool Scheduler::GivesWayTo(const Claim& claim, const OpenRequest& other) const {
  return &other != running_.front() && claim.request->rank < other.rank &&
         other.spec.priority < claim.request->spec.priority;
}

// At most: some of it may be shared.
Resources Scheduler::HeldBy(const OpenRequest& request) const {
  Resources held = GrowthOf(request);
  auto add = [&](SequenceId sequence) { held = held + Resources{cache_.Length(sequence), 1}; };
  if (request.sequence != kNoSequence) add(request.sequence);
  for (const auto& base : request.bases) {
    held = held + base->reserved;
    if (base->owns_sequence && base->sequence != kNoSequence) add(base->sequence);
    for (const Branch& branch : base->branches) {
      for (SequenceId path : branch.paths) add(path);
    }
  }
  return held;
}

// The last by rank gives way, of one request the youngest candidate. False: nobody behind the claim holds anything.
bool Scheduler::PreemptFor(Step& step, const Claim& claim, bool only_lower_priority) {
  for (auto it = running_.rbegin(); it != running_.rend() && claim.request->rank < (*it)->rank; ++it) {
    if (only_lower_priority && !GivesWayTo(claim, **it)) continue;
    if (PreemptLast(step, **it, 0, /*gives_prompt=*/true)) return true;
  }
  return !only_lower_priority && PreemptLast(step, *claim.request, claim.base, claim.base > 0 && IsFirst(claim));
}

bool Scheduler::PreemptLast(Step& step, OpenRequest& request, size_t first_base, bool gives_prompt) {
  for (size_t i = request.bases.size(); i-- > first_base;) {
    if (!HoldsCells(*request.bases[i])) continue;
    PreemptBase(step, *request.bases[i]);
    return true;
  }
  if (!gives_prompt || request.sequence == kNoSequence) return false;
  PreemptPrompt(step, request);
  return true;
}

bool Scheduler::HoldsCells(const Base& base) {
  auto has_paths = [](const Branch& branch) { return !branch.paths.empty(); };
  return (base.owns_sequence && base.sequence != kNoSequence) || base.reserved.cells > 0 ||
         std::any_of(base.branches.begin(), base.branches.end(), has_paths);
}

void Scheduler::PreemptBase(Step& step, Base& base) {
  ++counts_.preemptions;
  for (Branch& branch : base.branches) {
    for (SequenceId path : std::exchange(branch.paths, {})) cache_.Drop(path);
    branch.next_node = 0;
  }
  Unreserve(base, base.reserved);
  step.allotted -= std::exchange(base.allotted, 0);
  if (!base.owns_sequence) return;
  cache_.Retire(std::exchange(base.sequence, kNoSequence));
  base.state = Base::State::kWaiting;
}

void Scheduler::PreemptPrompt(Step& step, OpenRequest& request) {
  counts_.preemptions += !request.prompt_is_done;
  cache_.Retire(std::exchange(request.sequence, kNoSequence));
  step.allotted -= std::exchange(request.allotted, 0);
}

Resources Scheduler::Total() const { return {cache_.num_cells(), cache_.max_sequences()}; }

Resources Scheduler::Busy() const { return {cache_.num_busy_cells(), cache_.num_busy_sequences()}; }

// Idle cells and sequences are there for the taking: they are evicted when somebody needs them.
Resources Scheduler::Spare(const Step& step) const {
  return Total() - Busy() - reserved_ - Resources{step.allotted, 0};
}

Resources Scheduler::FreeBeyondGrowth() const { return Total() - Busy() - reserved_ - Growth(); }

Resources Scheduler::Growth() const {
  Resources growth;
  for (const OpenRequest* request : running_) growth = growth + GrowthOf(*request);
  return growth;
}

Resources Scheduler::GrowthOf(const OpenRequest& request) const {
  Resources growth;
  if (!request.prompt_is_done && request.sequence != kNoSequence) {
    growth = GrowthOfNextBase(request);
    growth.cells += request.usage.prompt_tokens - cache_.Length(request.sequence);
  }
  for (const auto& base : request.bases) growth = growth + GrowthOf(request, *base);
  return growth;
}

Resources Scheduler::GrowthOf(const OpenRequest& request, const Base& base) const {
  Resources growth;
  if (base.sequence == kNoSequence) return growth;
  growth.cells = NumMissing(request, base);
  if (!base.is_finished) {
    growth.cells += growth_.Expect(request.spec.max_tokens - static_cast<int>(base.generated.size()));
    return growth + request.question_need;
  }
  return base.reserved.cells > 0 ? growth : growth + NeedOfNextQuestion(request, base);
}

// Beside the prompt's own sequence, which the only candidate, or the questions on the prompt, take over.
Resources Scheduler::GrowthOfNextBase(const OpenRequest& request) const {
  Resources growth = request.question_need;
  int num_candidates = request.spec.num_candidates;
  if (num_candidates > 0) growth.cells += growth_.Expect(request.spec.max_tokens);
  if (num_candidates > 1 || (num_candidates == 1 && !HasOwnPrompt(request))) ++growth.sequences;
  return growth;
}

// Nothing while one is running, or where all have been asked.
Resources Scheduler::NeedOfNextQuestion(const OpenRequest& request, const Base& base) {
  auto need_of = [&](int question) {
    const TokenTree& tree = *request.spec.questions[question];
    return Resources{static_cast<int>(tree.nodes.size()), tree.num_paths};
  };
  if (!base.branches.empty()) return base.branches[0].paths.empty() ? need_of(base.branches[0].question) : Resources();
  for (size_t i = base.next_question; i < request.spec.questions.size(); ++i) {
    if (!request.spec.questions[i]->nodes.empty()) return need_of(static_cast<int>(i));
  }
  return {};
}

void Scheduler::Reserve(Base& base, Resources amount) {
  base.reserved = base.reserved + amount;
  reserved_ = reserved_ + amount;
}

void Scheduler::Unreserve(Base& base, Resources amount) {
  base.reserved = base.reserved - amount;
  reserved_ = reserved_ - amount;
  assert(base.reserved.cells >= 0 && base.reserved.sequences >= 0 && "more was used than promised");
}

}  // namespace winnow
