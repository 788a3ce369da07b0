#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/span.h"
#include "base/step_plan.h"
#include "base/types.h"
#include "kv_cache/kv_cache.h"
#include "scheduler/request.h"

namespace winnow {

struct SchedulerOptions {
  int max_step_tokens = 512;   // Rows of a step. Larger: faster prefill, later cancel.
  int max_step_outputs = 512;  // Rows of a step that may want logits.
  KvCacheOptions cache;
};

// Decides what the next step evaluates. Data in, data out: no model, no clock, no threads.
//
// Every admitted request has room promised for its prompt and for at least one candidate with its longest question, so
// that whatever runs can finish: nothing is ever taken from a running request. Running candidates go first in a step,
// then questions, and prompts fill what is left of the token budget, in order of arrival.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options);

  // Throws Error for what can never run: ERR_PREFIX_CLOSED, ERR_CACHE_TOO_SMALL.
  void Add(ScheduledRequest request);
  // Ends the request without a word; what it has computed stays in the cache for others. Unknown ids are fine.
  void Cancel(RequestId id);
  // Lets go of a pinned prefix, at once or when the last request that runs on it has ended.
  void Release(RequestId prefix);

  // Empty when there is nothing to do. Every non-empty plan is either committed or failed before the next one.
  StepPlan Plan();
  // `outcomes`: one per read of the plan; those of reads that sample nothing are ignored.
  void Commit(const StepPlan& plan, Span<const SampleOutcome> outcomes);
  // The step did not happen: every request that it served ends with this error.
  void Fail(const StepPlan& plan, const std::string& code, const std::string& message);

  std::vector<FinishedRequest> TakeFinished();
  // Prefixes that are gone since the last call: their saved rows may go too.
  std::vector<RequestId> TakeReleasedPrefixes();

  bool is_idle() const { return running_.empty() && waiting_.empty(); }
  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return static_cast<int>(waiting_.size()); }
  int num_pinned_cells() const { return num_pinned_cells_; }
  const KvCache& cache() const { return cache_; }
  int PrefixLength(RequestId prefix) const;  // -1 = no such prefix.
  // The request's prompt, its parent's tokens in front. Valid until its end.
  Span<const Token> PromptOf(RequestId id) const;

 private:
  // A plan in the making, with what is left of its budgets.
  struct Step {
    StepPlan plan;
    int tokens_left;
    int outputs_left;
  };

  // Admission: scheduler.cc
  Resources Available() const;
  Resources PromptNeed(const RunningRequest& request, int num_busy_cells) const;
  void CheckFits(const RunningRequest& request) const;
  void Admit(Step& step);
  bool TryAdmit(Step& step, RunningRequest& request);
  void BeginPrompt(Step& step, RunningRequest& request, SequenceId source, int length);
  void RefuseFirst();

  // Promises: scheduler.cc. `where` holds what is promised to one request or base; reserved_ is the sum.
  void Reserve(Resources& where, const Resources& amount);
  void Unreserve(Resources& where, Resources amount);

  // Planning: plan.cc
  void StartBases();
  bool StartBase(RunningRequest& request, Base& base, bool is_last);
  void PlanDecodes(Step& step);
  void PlanQuestions(Step& step, RunningRequest& request, Base& base);
  void StartBranches(RunningRequest& request, Base& base, int num_tokens);
  void StartBranch(Base& base, const TokenTree& tree);
  void PlanLastToken(Step& step, RunningRequest& request, Base& base, size_t first_new_branch);
  void PlanBranch(Step& step, RunningRequest& request, Base& base, Branch& branch);
  void PlanPrompts(Step& step);
  void PlanPrompt(Step& step, RunningRequest& request);
  void ReadPrompt(Step& step, RunningRequest& request, int row, RequestId saved_by);
  void ReadBase(Step& step, const RunningRequest& request, int candidate, int row, RequestId saved_by);
  void AddRow(Step& step, PlanRow row, Span<const SequenceId> sequences, Resources& reserved);

  // After the step: commit.cc
  void CommitSample(RunningRequest& request, int candidate, const SampleOutcome& outcome);
  void CommitPrompt(RunningRequest& request);
  void MakePrefix(RunningRequest& request);
  void CommitBranches(RunningRequest& request, Base& base);
  void FinishBase(RunningRequest& request, Base& base);
  bool IsDone(const RunningRequest& request) const;
  void End(RunningRequest& request, bool keeps_cells);
  void EndSequence(SequenceId sequence, bool keeps_cells);
  void StopDecoding(const Base& base);
  void RemoveEnded();
  RunningRequest* FindRunning(RequestId id) const;
  Base* FindBase(RunningRequest& request, int candidate) const;
  void CountPinned();

  SchedulerOptions options_;
  KvCache cache_;
  std::deque<std::unique_ptr<RunningRequest>> waiting_;
  std::map<RequestId, std::unique_ptr<RunningRequest>> running_;  // In order of arrival.
  std::map<RequestId, Prefix> prefixes_;
  std::vector<std::pair<RunningRequest*, Base*>> decoding_;  // In the order in which a step serves them.
  Resources reserved_;                                       // Promised to all running requests together.
  int num_pinned_cells_ = 0;
  std::vector<FinishedRequest> finished_;
  std::vector<RequestId> released_;
};

}  // namespace winnow
