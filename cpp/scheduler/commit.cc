#include <algorithm>
#include <cassert>
#include <set>

#include "scheduler/scheduler.h"

namespace winnow {

void Scheduler::Commit(const StepPlan& plan, Span<const SampleOutcome> outcomes) {
  for (size_t i = 0; i < plan.reads.size(); ++i) {
    const PlanRead& read = plan.reads[i];
    if (read.kind == PlanRead::Kind::kSample) CommitSample(*FindRunning(read.request), read.candidate, outcomes[i]);
  }
  for (auto& [id, request] : running_) {
    bool has_all = request->sequence != kNoSequence && cache_.Length(request->sequence) == request->usage.prompt_tokens;
    if (!request->prompt_is_done && has_all) CommitPrompt(*request);
    for (auto& base : request->bases) {
      if (base->state == Base::State::kScoring) CommitBranches(*request, *base);
    }
    if (!IsDone(*request)) continue;
    finished_.push_back({id, request->usage, "", ""});
    End(*request, /*keeps_cells=*/true);
  }
  RemoveEnded();
}

void Scheduler::Fail(const StepPlan& plan, const std::string& code, const std::string& message) {
  std::set<RequestId> served;
  for (const PlanRow& row : plan.rows) served.insert(row.request);
  for (const PlanRead& read : plan.reads) served.insert(read.request);
  for (RequestId id : served) {
    RunningRequest& request = *FindRunning(id);
    finished_.push_back({id, request.usage, code, message});
    End(request, /*keeps_cells=*/false);
  }
  RemoveEnded();
}

void Scheduler::CommitSample(RunningRequest& request, int candidate, const SampleOutcome& outcome) {
  Base* base = FindBase(request, candidate);
  if (base == nullptr) {  // Its first token, read off the prompt's row.
    request.bases.push_back(std::make_unique<Base>());
    base = request.bases.back().get();
    base->candidate = candidate;
  }
  ++request.usage.generated_tokens;
  bool keeps_token = outcome.finish != SampleOutcome::Finish::kDropToken;
  if (keeps_token) base->pending = outcome.token;
  if (outcome.finish == SampleOutcome::Finish::kNo) return;
  base->is_finished = true;
  base->wants_base_row = keeps_token && request.reads_base;
  bool was_decoding = base->state == Base::State::kDecoding;
  if (was_decoding) StopDecoding(*base);
  if (request.spec.questions.empty()) return FinishBase(request, *base);
  if (was_decoding) base->state = Base::State::kScoring;
}

void Scheduler::CommitPrompt(RunningRequest& request) {
  request.prompt_is_done = true;
  if (request.sequence != kNoSequence) cache_.Publish(request.sequence);
  if (request.spec.pin) return MakePrefix(request);
  if (request.spec.num_candidates > 0) return;
  auto base = std::make_unique<Base>();
  base->owns_sequence = request.sequence != kNoSequence;
  base->sequence = base->owns_sequence ? std::exchange(request.sequence, kNoSequence) : request.parent->sequence;
  base->state = Base::State::kScoring;
  base->is_finished = true;
  base->reserved = std::exchange(request.reserved, {});
  request.holds_base_need = false;
  request.bases.push_back(std::move(base));
}

void Scheduler::MakePrefix(RunningRequest& request) {
  Prefix& prefix = prefixes_[request.spec.id];
  prefix.id = request.spec.id;
  prefix.tokens = request.tokens;
  prefix.sequence = std::exchange(request.sequence, kNoSequence);
  CountPinned();
}

void Scheduler::CommitBranches(RunningRequest& request, Base& base) {
  const Questions& questions = request.spec.questions;
  auto is_open = [&](const Branch& branch) {
    return branch.next_node < static_cast<int>(questions[branch.question]->nodes.size());
  };
  auto first_done = std::stable_partition(base.branches.begin(), base.branches.end(), is_open);
  for (auto branch = first_done; branch != base.branches.end(); ++branch) {
    for (SequenceId path : branch->paths) cache_.Drop(path);
    // What the branch gives back is promised to the next question again.
    Resources freed{static_cast<int>(questions[branch->question]->nodes.size()),
                    static_cast<int>(branch->paths.size())};
    Resources missing = request.question_need - base.reserved;
    Reserve(base.reserved, {std::max(0, std::min(freed.cells, missing.cells)),
                            std::max(0, std::min(freed.sequences, missing.sequences))});
  }
  base.branches.erase(first_done, base.branches.end());
  while (base.next_question < static_cast<int>(questions.size()) && questions[base.next_question]->nodes.empty()) {
    ++base.next_question;
  }
  bool is_done = base.branches.empty() && !base.pending && base.next_question == static_cast<int>(questions.size());
  if (is_done) FinishBase(request, base);
}

void Scheduler::FinishBase(RunningRequest& request, Base& base) {
  if (base.sequence != kNoSequence && base.owns_sequence) EndSequence(base.sequence, /*keeps_cells=*/true);
  base.sequence = kNoSequence;
  base.pending.reset();
  base.state = Base::State::kDone;
  Unreserve(base.reserved, base.reserved);
  ++request.num_bases_done;
  auto is = [&](auto... states) { return [=](const auto& other) { return ((other->state == states) || ...); }; };
  bool some_wait = std::any_of(request.bases.begin(), request.bases.end(), is(Base::State::kWaiting));
  bool some_run =
      std::any_of(request.bases.begin(), request.bases.end(), is(Base::State::kDecoding, Base::State::kScoring));
  if (some_wait && !some_run && !request.holds_base_need) {  // The room of the one goes to the next.
    Reserve(request.reserved, request.base_need);
    request.holds_base_need = true;
  }
}

bool Scheduler::IsDone(const RunningRequest& request) const {
  if (!request.prompt_is_done) return false;
  if (request.spec.pin) return true;
  return request.num_bases_done == std::max(1, request.spec.num_candidates);
}

void Scheduler::End(RunningRequest& request, bool keeps_cells) {
  for (auto& base : request.bases) {
    StopDecoding(*base);
    for (Branch& branch : base->branches) {
      for (SequenceId path : branch.paths) cache_.Drop(path);
    }
    if (base->sequence != kNoSequence && base->owns_sequence) EndSequence(base->sequence, keeps_cells);
    Unreserve(base->reserved, base->reserved);
  }
  if (request.sequence != kNoSequence) EndSequence(request.sequence, keeps_cells);
  Unreserve(request.reserved, request.reserved);
  request.has_ended = true;
  if (Prefix* parent = std::exchange(request.parent, nullptr)) {
    if (--parent->num_users == 0 && parent->is_closed) Release(parent->id);
  }
}

void Scheduler::EndSequence(SequenceId sequence, bool keeps_cells) {
  keeps_cells ? cache_.Retire(sequence) : cache_.Drop(sequence);
}

void Scheduler::StopDecoding(const Base& base) {
  auto is_base = [&](const auto& entry) { return entry.second == &base; };
  decoding_.erase(std::remove_if(decoding_.begin(), decoding_.end(), is_base), decoding_.end());
}

void Scheduler::RemoveEnded() {
  for (auto it = running_.begin(); it != running_.end();) {
    it = it->second->has_ended ? running_.erase(it) : std::next(it);
  }
}

RunningRequest* Scheduler::FindRunning(RequestId id) const {
  auto found = running_.find(id);
  return found == running_.end() ? nullptr : found->second.get();
}

Base* Scheduler::FindBase(RunningRequest& request, int candidate) const {
  for (auto& base : request.bases) {
    if (base->candidate == candidate) return base.get();
  }
  return nullptr;
}

void Scheduler::CountPinned() {
  std::vector<SequenceId> sequences;
  for (const auto& [id, prefix] : prefixes_) sequences.push_back(prefix.sequence);
  num_pinned_cells_ = cache_.CountCells(sequences);
}

}  // namespace winnow
