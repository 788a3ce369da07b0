#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/span.h"
#include "base/step_plan.h"
#include "base/types.h"
#include "kv_cache/kv_cache.h"
#include "scheduler/adapter_turns.h"
#include "scheduler/growth_estimate.h"
#include "scheduler/request.h"
#include "scheduler/step_cost.h"
#include "scheduler/waiting_queue.h"

namespace winnow {

struct SchedulerOptions {
  int max_step_tokens = 512;   // Rows of a step. Larger: faster prefill, later cancel.
  int max_step_outputs = 512;  // Rows of a step that may want logits.
  int min_shared_tokens = 16;  // A request waits for another one's prefill if that saves it as many tokens. 0 = never.
  bool runs_alone = false;     // One request at a time: an encoder–decoder model holds one source.
  double target_inter_token_ms = 0;  // Lower priorities are held back so that the highest keep it. 0 = never.
  int adapter_turn_steps = 4;        // Steps in a row of requests with the same adapters while others wait.
  KvCacheOptions cache;
};

// What has happened since the scheduler was made.
struct SchedulerCounts {
  int64_t preemptions = 0;  // Of candidates, prompts and questions that had to give up their cells.
  int64_t held_steps = 0;   // That had fewer rows than they could, for the target between tokens.
};

// Decides what the next step evaluates. Data in, data out: no model, no clock, no threads.
//
// There is no prefill phase and no decode phase: a prompt and every candidate have tokens, and some of them are in the
// cache; a step evaluates what is missing. So whatever is taken away can be evaluated again, and that is preemption:
// the sequence is given up (it stays cached as long as nobody needs the room), the tokens stay.
//
// A request begins when there is room for its prompt and for what all are expected to generate (GrowthEstimate). When
// running ones can't all continue, the last of them by rank gives way. The first by rank can take from all others, and
// alone in the cache it always fits (`floor`): so somebody always goes on, and nobody fails because of others.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options);

  // Throws Error for what can never run: ERR_PREFIX_CLOSED, ERR_CACHE_TOO_SMALL.
  void Add(ScheduledRequest request);
  // Ends the request without a word; what it has computed stays in the cache for others. Unknown ids are fine.
  void Cancel(RequestId id);
  // Lets go of a pinned prefix, at once or when the last request that runs on it has ended.
  void Release(RequestId prefix);

  // Empty when there is nothing to do now. Every non-empty plan is either committed or failed before the next one.
  // `now` never goes back.
  StepPlan Plan(TimeMs now);
  // How long the plan's step took; before its Commit. Where nobody measures, no target can be kept.
  void Measure(const StepPlan& plan, double milliseconds);
  // `outcomes`: one per read of the plan; those of reads that sample nothing are ignored.
  void Commit(const StepPlan& plan, Span<const SampleOutcome> outcomes);
  // The step did not happen: every request that it served ends with this error.
  void Fail(const StepPlan& plan, const std::string& code, const std::string& message);

  // One of the plan's restores did not work; before the Commit.
  void FailRestore(const PlanRestore& restore, const std::string& code, const std::string& message);

  std::vector<FinishedRequest> TakeFinished();
  // Prefixes that are gone since the last call: their saved rows may go too.
  std::vector<RequestId> TakeReleasedPrefixes();

  bool is_idle() const { return requests_.empty(); }
  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return queue_.size() + static_cast<int>(following_.size()); }
  int num_pinned_cells() const { return num_pinned_cells_; }
  // Whether an open request or a pinned prefix is computed with it.
  bool UsesAdapter(AdapterId adapter) const;
  TimeMs next_deadline() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }
  const SchedulerCounts& counts() const { return counts_; }
  const KvCache& cache() const { return cache_; }
  int PrefixLength(RequestId prefix) const;       // -1 = no such prefix.
  SequenceId SequenceOf(RequestId prefix) const;  // kNoSequence = no such prefix.
  // The request's prompt, its parent's tokens in front. Valid until its end.
  Span<const Token> PromptOf(RequestId id) const;

 private:
  // Whose rows must leave the step short enough for the tokens of others.
  struct HeldBack {
    bool is_on = false;
    double below = 0;      // Requests of lower priority than that.
    int most_rows = 0;     // Of the whole step, where one of theirs is the last.
    bool has_one = false;  // A row of theirs is in the step.
    bool has_bound = false;
  };

  // A plan in the making, with what is left of its budgets.
  struct Step {
    StepPlan plan;
    const AdapterGroup* group = nullptr;  // Whose rows it has.
    int tokens_left = 0;
    int outputs_left = 0;
    HeldBack held;
    int allotted = 0;           // Cells that are spoken for in this step.
    bool found_prompt = false;  // A prompt needed no row at all.

    bool has_work() const { return has_rows() || !plan.reads.empty() || found_prompt; }
    bool has_rows() const { return !plan.rows.empty() || !plan.restores.empty(); }
    bool Serves(const OpenRequest& request) const { return request.group == group; }
  };

  // Who asks for room: the request's prompt, or one of its bases.
  struct Claim {
    OpenRequest* request;
    size_t base;  // Those behind it may have to give way.
  };

  // scheduler.cc
  void Expire(TimeMs now);
  void PlanStep(Step& step);
  void PlanGroup(Step& step, AdapterGroup& group);
  void Untangle();
  OpenRequest* Find(RequestId id) const;
  OpenRequest* FindRunning(RequestId id) const;
  void FailRequest(OpenRequest& request, const std::string& code, const std::string& message, ErrorFacts facts);
  void End(OpenRequest& request, bool keeps_cells);
  void RemoveEnded();

  // Who may begin: admission.cc
  void Admit(Step& step);
  bool MayRun(OpenRequest& request) const;
  Resources FloorOf(const OpenRequest& request) const;
  void FindPinned(OpenRequest& request) const;
  void CheckFits(const OpenRequest& request) const;
  void Refuse(OpenRequest& request);
  bool FollowsSomebody(OpenRequest& request);
  bool IsLeading(RequestId leader, int length) const;
  void ReturnFollowers();
  void InsertRunning(OpenRequest& request);
  bool BeginPrompt(Step& step, OpenRequest& request);
  bool BeginOnParent(Step& step, OpenRequest& request);
  void TakeSequence(Step& step, OpenRequest& request, PrefixTree::Match match);
  PrefixTree::Match FindPrompt(const OpenRequest& request) const;

  // Who gets cells, who gives them up: room.cc
  void Allot(Step& step, OpenRequest& request);
  void AllotPrompt(Step& step, OpenRequest& request);
  int AllotAll(Step& step, const Claim& claim, int wanted);
  bool IsToRestore(const OpenRequest& request) const;
  void AllotBase(Step& step, OpenRequest& request, size_t index, bool* may_start);
  void AllotQuestion(Step& step, OpenRequest& request, size_t index);
  void AllotChecks(Step& step, OpenRequest& request, size_t index);
  int AllotRows(Step& step, const Claim& claim, int wanted);
  bool StartBase(Step& step, OpenRequest& request, size_t index);
  void ReleasePromptIfUnused(OpenRequest& request);
  PrefixTree::Match FindBaseStart(const OpenRequest& request, const Base& base) const;
  bool TakesOverPrompt(const OpenRequest& request, const Base& base) const;
  bool MakeRoom(Step& step, const Claim& claim, const Resources& need);
  bool HasRoomToBegin(const Step& step, const Claim& claim, const Resources& now, const Resources& soon) const;
  bool IsFirst(const Claim& claim) const;
  bool PreemptToBegin(Step& step, const Claim& claim, const Resources& need);
  bool GivesWayTo(const Claim& claim, const OpenRequest& other) const;
  Resources HeldBy(const OpenRequest& request) const;
  bool PreemptFor(Step& step, const Claim& claim, bool only_lower_priority);
  bool PreemptLast(Step& step, OpenRequest& request, size_t first_base, bool gives_prompt);
  static bool HoldsCells(const Base& base);
  void PreemptBase(Step& step, Base& base);
  void PreemptPrompt(Step& step, OpenRequest& request);
  Resources Spare(const Step& step) const;
  Resources Growth() const;
  Resources GrowthOf(const OpenRequest& request) const;
  Resources GrowthOf(const OpenRequest& request, const Base& base) const;
  Resources GrowthOfNextBase(const OpenRequest& request) const;
  Resources FreeBeyondGrowth() const;
  static Resources NeedOfNextQuestion(const OpenRequest& request, const Base& base);
  Resources Total() const;
  Resources Busy() const;
  void Reserve(Base& base, Resources amount);
  void Unreserve(Base& base, Resources amount);

  // Who keeps the target between tokens: pace.cc
  HeldBack FindHeldBack() const;
  static bool IsHeldBack(const Step& step, const OpenRequest& request);
  static int TokensLeft(Step& step, const OpenRequest& request);

  // Which rows a step has: plan.cc
  void PlanDecodes(Step& step);
  static bool FitsStep(Step& step, const OpenRequest& request, const Base& base);
  void PlanDecode(Step& step, OpenRequest& request, Base& base);
  std::vector<SequenceId> ForkForChecks(OpenRequest& request, Base& base);
  void PlanChecks(Step& step, OpenRequest& request, Base& base, int base_row);
  void PlanQuestions(Step& step, OpenRequest& request, Base& base);
  // Return the sequences of what they started.
  std::vector<SequenceId> StartBranches(OpenRequest& request, Base& base, int num_tokens);
  bool StartBranch(OpenRequest& request, Base& base, Branch* branch, std::vector<SequenceId>* sequences);
  bool TakeRoomForQuestion(Base& base, const Resources& need);
  void PlanLastToken(Step& step, OpenRequest& request, Base& base, std::vector<SequenceId> sequences);
  void PlanBranch(Step& step, OpenRequest& request, Base& base, Branch& branch);
  void PlanPrompts(Step& step);
  void PlanPrompt(Step& step, OpenRequest& request);
  void PlanRestored(Step& step, OpenRequest& request);
  void PlanCatchUp(Step& step, OpenRequest& request, Base& base);
  void ReadPrompt(Step& step, OpenRequest& request, int row, RequestId saved_by);
  void ReadBase(Step& step, const OpenRequest& request, int candidate, int row, RequestId saved_by);
  PlanRow RowOf(const OpenRequest& request, Token token, Position position, Phase phase) const;
  void AddRow(Step& step, OpenRequest& request, PlanRow row, Span<const SequenceId> sequences);

  // After the step: commit.cc
  void CommitSample(OpenRequest& request, int candidate, const SampleOutcome& outcome);
  void CommitBeams(OpenRequest& request, const SampleOutcome& outcome);
  void KeepParents(OpenRequest& request, const std::vector<BeamStep>& beams);
  SequenceId ForkBeam(const OpenRequest& request, const Base& parent);
  std::unique_ptr<Base> MakeBeam(OpenRequest& request, const BeamStep& step, int index);
  void RejectBase(OpenRequest& request, Base& base);
  bool IsPromptHeldBeside(const OpenRequest& request, const Base& base) const;
  void CommitPrompt(OpenRequest& request);
  void MakePrefix(OpenRequest& request);
  void CommitBranches(OpenRequest& request, Base& base);
  void FinishBase(OpenRequest& request, Base& base);
  bool IsDone(const OpenRequest& request) const;
  int NumMissing(const OpenRequest& request, const Base& base) const;
  void EndSequence(SequenceId sequence, bool keeps_cells);
  void CountPinned();

  SchedulerOptions options_;
  KvCache cache_;
  std::unordered_map<RequestId, std::unique_ptr<OpenRequest>> requests_;  // All that are open.
  WaitingQueue queue_;
  AdapterTurns turns_;
  std::vector<RequestId> ended_;         // Still in requests_.
  std::vector<OpenRequest*> following_;  // Wait for another one's prefill.
  std::vector<OpenRequest*> running_;    // By rank, the first first.
  std::map<RequestId, Prefix> prefixes_;
  std::set<std::pair<TimeMs, RequestId>> deadlines_;
  GrowthEstimate growth_;
  Resources reserved_;  // By all bases together.
  StepCost step_cost_;
  TimeMs now_ = 0;
  double step_end_ = 0;  // Of the plan at hand, on the same clock, as far as it was measured.
  int64_t num_steps_ = 0;
  int num_pinned_cells_ = 0;
  SchedulerCounts counts_;
  std::vector<FinishedRequest> finished_;
  std::vector<RequestId> released_;
};

}  // namespace winnow
