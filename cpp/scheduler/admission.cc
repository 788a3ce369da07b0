#include <algorithm>
#include <cassert>
#include <utility>

#include "scheduler/scheduler.h"

namespace winnow {
namespace {

std::string Amount(const Resources& amount) {
  return std::to_string(amount.cells) + " cells and " + std::to_string(amount.sequences) + " sequences";
}

int CommonLength(const std::vector<Token>& a, const std::vector<Token>& b) {
  const size_t limit = std::min(a.size(), b.size());
  return static_cast<int>(std::mismatch(a.begin(), a.begin() + limit, b.begin()).first - a.begin());
}

// A row that somebody reads has to be evaluated, cached or not.
int LongestReuse(const OpenRequest& request) { return request.usage.prompt_tokens - (request.needs_last_row ? 1 : 0); }

}  // namespace

void Scheduler::Admit(Step& step) {
  ReturnFollowers();
  while (OpenRequest* request = queue_.Next(now_)) {
    if (options_.runs_alone && !running_.empty()) break;
    if (!MayRun(*request)) {
      if (!running_.empty()) break;
      Refuse(*request);
    } else if (FollowsSomebody(*request)) {
      queue_.Remove(request);
      request->state = OpenRequest::State::kFollowing;
      following_.push_back(request);
    } else {
      if (!BeginPrompt(step, *request)) break;
      queue_.Begin(request, now_);
      step.plan.source = request->spec.source;
      InsertRunning(*request);
      if (step.Serves(*request)) Allot(step, *request);
    }
  }
  RemoveEnded();
}

void Scheduler::InsertRunning(OpenRequest& request) {
  request.state = OpenRequest::State::kRunning;
  auto goes_first = [](const OpenRequest* a, const OpenRequest* b) { return a->rank < b->rank; };
  running_.insert(std::upper_bound(running_.begin(), running_.end(), &request, goes_first), &request);
}

Resources Scheduler::FloorOf(const OpenRequest& request) const {
  Resources floor = request.question_need;
  // No beam goes on without the others.
  const int num_together = request.spec.is_beam_search ? request.spec.num_candidates : 1;
  if (request.spec.num_candidates > 0) floor.cells += request.spec.max_tokens * num_together;
  floor.cells += static_cast<int>(request.spec.prompt.size());
  if (HasOwnPrompt(request) || request.spec.num_candidates > 0) floor.sequences += num_together;
  return floor;
}

// With nothing but its parent beside it in the cache, the request must fit.
void Scheduler::CheckFits(const OpenRequest& request) const {
  Resources need = request.floor;
  if (request.parent != nullptr) need = need + Resources{static_cast<int>(request.parent->tokens.size()), 1};
  if (Total().Covers(need)) return;
  throw Error("ERR_CACHE_TOO_SMALL",
              "The request needs " + Amount(need) + " of the cache, which has " + Amount(Total()) +
                  ". Ask for fewer tokens or load the model with larger cacheTokens or maxSequences.");
}

// Pinned prefixes stay as long as their owners want: whatever runs must fit beside all of them, and a new one beside
// the largest of what runs.
bool Scheduler::MayRun(OpenRequest& request) const {
  request.floor = FloorOf(request);
  request.pinned = kNoRequest;
  Resources need{num_pinned_cells_, static_cast<int>(prefixes_.size())};
  Resources largest;
  for (const OpenRequest* other : running_) {
    if (other->prompt_is_done && other->spec.pin) continue;  // Among the prefixes already.
    if (other->spec.pin) {
      need = need + other->floor;
    } else {
      largest = LargerOf(largest, other->floor);
    }
  }
  need = need + request.floor + (request.spec.pin ? largest : Resources());
  if (Total().Covers(need)) return true;
  FindPinned(request);
  if (!Total().Covers(need - Resources{request.pinned_length, 0})) return false;
  request.floor.cells -= request.pinned_length;
  return true;
}

// The pinned prefix that the request shares most with: where there is room only for what they share, it begins as a
// fork of that and of no copy.
void Scheduler::FindPinned(OpenRequest& request) const {
  request.pinned_length = 0;
  if (request.parent != nullptr || request.spec.is_saved || !cache_.can_fork())
    return;  // Its floor is without the parent's cells.
  for (const auto& [id, prefix] : prefixes_) {
    if (prefix.space != request.spec.space || prefix.adapters != request.spec.adapters) continue;
    int shared = std::min(CommonLength(prefix.tokens, request.tokens), LongestReuse(request));
    if (shared <= request.pinned_length) continue;
    request.pinned = id;
    request.pinned_length = shared;
  }
}

// Nothing runs, and still the request has no room: only pinned prefixes can be in its way.
void Scheduler::Refuse(OpenRequest& request) {
  Resources left = Total() - Resources{num_pinned_cells_, static_cast<int>(prefixes_.size())};
  FailRequest(request, "ERR_CACHE_FULL",
              "The request needs " + Amount(request.floor) + ", and pinned prefixes leave only " + Amount(left) +
                  ". Close prefixes or load the model with larger cacheTokens.",
              {});
}

// Somebody is evaluating what this request begins with: it costs nothing to wait for it.
bool Scheduler::FollowsSomebody(OpenRequest& request) {
  const KvCacheOptions& cache = options_.cache;
  bool can_follow = cache.can_fork && cache.sliding_window == 0 && options_.min_shared_tokens > 0;
  if (!can_follow || request.spec.prompt.empty() || request.spec.is_saved) return false;
  OpenRequest* leader = nullptr;
  int longest = 0;
  for (OpenRequest* other : running_) {
    if (other->prompt_is_done || other->sequence == kNoSequence || other->cache_space != request.cache_space) continue;
    int shared = std::min(CommonLength(other->tokens, request.tokens), LongestReuse(request));
    if (shared <= longest) continue;
    leader = other;
    longest = shared;
  }
  if (longest < options_.min_shared_tokens) return false;
  cache_.Publish(leader->sequence);
  int found = FindPrompt(request).length;
  if (longest - found < options_.min_shared_tokens) return false;
  request.leader = leader->spec.id;
  request.leader_length = longest;
  leader->is_followed = true;
  return true;
}

bool Scheduler::IsLeading(RequestId id, int length) const {
  const OpenRequest* leader = FindRunning(id);
  return leader != nullptr && !leader->prompt_is_done && leader->sequence != kNoSequence &&
         cache_.Length(leader->sequence) < length;
}

void Scheduler::ReturnFollowers() {
  auto still_follows = [this](const OpenRequest* request) {
    return IsLeading(request->leader, request->leader_length);
  };
  auto returning = std::partition(following_.begin(), following_.end(), still_follows);
  for (auto request = returning; request != following_.end(); ++request) {
    (*request)->state = OpenRequest::State::kWaiting;
    queue_.Push(*request);
  }
  following_.erase(returning, following_.end());
}

PrefixTree::Match Scheduler::FindPrompt(const OpenRequest& request) const {
  bool is_fork_of_parent = request.spec.prompt.empty();
  if (is_fork_of_parent) return {request.parent->sequence, request.usage.prompt_tokens, {}};
  auto pinned = prefixes_.find(request.pinned);
  if (pinned != prefixes_.end()) return {pinned->second.sequence, request.pinned_length, {}};
  PrefixTree::Match match = cache_.FindLongestPrefix(request.cache_space, request.tokens, LongestReuse(request));
  // Restoring is whole: a part that is cached already is of no use to it.
  bool is_part = request.spec.is_saved && match.length < LongestReuse(request);
  return is_part ? PrefixTree::Match() : match;
}

// For the first time, or again after a preemption.
bool Scheduler::BeginPrompt(Step& step, OpenRequest& request) {
  if (!HasOwnPrompt(request)) return BeginOnParent(step, request);
  const Claim claim{&request, 0};
  while (true) {
    PrefixTree::Match match = FindPrompt(request);
    int num_idle = match.length - (match.length > 0 ? cache_.CountBusyCells(match.sequence, match.length) : 0);
    Resources rest{request.usage.prompt_tokens - match.length, 0};
    Resources soon = rest + GrowthOfNextBase(request);
    if (HasRoomToBegin(step, claim, {num_idle, 1}, soon)) {
      TakeSequence(step, request, match);
      return true;
    }
    if (!PreemptToBegin(step, claim, soon + Resources{num_idle, 1})) return false;
  }
}

bool Scheduler::BeginOnParent(Step& step, OpenRequest& request) {
  const Claim claim{&request, 0};
  while (!HasRoomToBegin(step, claim, {}, GrowthOfNextBase(request))) {
    if (!PreemptToBegin(step, claim, GrowthOfNextBase(request))) return false;
  }
  request.has_begun = true;
  request.usage.cached_tokens = request.usage.prompt_tokens;
  ReadPrompt(step, request, /*row=*/-1, request.spec.parent);
  CommitPrompt(request);
  step.found_prompt = true;
  return true;
}

void Scheduler::TakeSequence(Step& step, OpenRequest& request, PrefixTree::Match match) {
  request.sequence = *cache_.Begin(request.cache_space, match.sequence, match.length);
  // What others have evaluated since a preemption is found like the rest.
  request.usage.cached_tokens += std::max(0, match.length - request.num_evaluated);
  request.num_evaluated = std::max(request.num_evaluated, match.length);
  request.has_begun = true;
  if (match.length < request.usage.prompt_tokens) return;
  if (request.spec.pin) ReadPrompt(step, request, /*row=*/-1, request.spec.parent);
  CommitPrompt(request);
  step.found_prompt = true;
}

}  // namespace winnow
