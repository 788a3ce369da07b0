#include <algorithm>
#include <utility>

#include "scheduler/scheduler.h"

namespace winnow {

void Scheduler::Commit(const StepPlan& plan, Span<const SampleOutcome> outcomes) {
  for (size_t i = 0; i < plan.reads.size(); ++i) {
    const PlanRead& read = plan.reads[i];
    if (read.kind == PlanRead::Kind::kSample) CommitSample(*Find(read.request), read.candidate, outcomes[i]);
  }
  for (OpenRequest* request : running_) {
    bool evaluates_prompt = !request->prompt_is_done && request->sequence != kNoSequence;
    bool has_all = evaluates_prompt && cache_.Length(request->sequence) == request->usage.prompt_tokens;
    if (has_all) CommitPrompt(*request);
    if (evaluates_prompt && !has_all && request->is_followed) cache_.Publish(request->sequence);
    for (auto& base : request->bases) {
      if (base->state == Base::State::kScoring) CommitBranches(*request, *base);
    }
    if (!IsDone(*request)) continue;
    finished_.push_back({request->spec.id, request->usage, "", "", {}});
    End(*request, /*keeps_cells=*/true);
  }
  RemoveEnded();
}

void Scheduler::CommitSample(OpenRequest& request, int candidate, const SampleOutcome& outcome) {
  if (request.spec.is_beam_search) return CommitBeams(request, outcome);
  bool is_first = candidate == static_cast<int>(request.bases.size());  // Read off the prompt's row, in their order.
  if (is_first) {
    request.bases.push_back(std::make_unique<Base>());
    request.bases.back()->candidate = candidate;
    request.bases.back()->num_evaluated = request.usage.prompt_tokens;
  }
  Base& base = *request.bases[candidate];
  base.last_token_ms = step_end_;
  for (SequenceId path : std::exchange(base.check_paths, {})) cache_.Drop(path);
  if (outcome.finish == SampleOutcome::Finish::kReject) return RejectBase(request, base);
  ++request.usage.generated_tokens;
  base.wants_check = outcome.wants_check;
  bool keeps_token = outcome.finish != SampleOutcome::Finish::kDropToken;
  if (keeps_token) base.generated.push_back(outcome.token);
  if (outcome.finish == SampleOutcome::Finish::kNo) return;
  base.is_finished = true;
  base.wants_base_row = keeps_token && request.reads_base;
  if (request.spec.questions.empty()) return FinishBase(request, base);
  if (base.state == Base::State::kDecoding) base.state = Base::State::kScoring;
}

// Beams are replaced when all of a round have been read. One that several grow out of is forked, one that none does is
// gone, and the rest go on where they are.
void Scheduler::CommitBeams(OpenRequest& request, const SampleOutcome& outcome) {
  request.search_is_done = outcome.finish != SampleOutcome::Finish::kNo;
  if (outcome.beams.empty()) return;
  request.usage.generated_tokens += static_cast<int>(outcome.beams.size());
  KeepParents(request, outcome.beams);
  std::vector<std::unique_ptr<Base>> next;
  for (const BeamStep& beam : outcome.beams) next.push_back(MakeBeam(request, beam, static_cast<int>(next.size())));
  request.bases = std::move(next);
}

void Scheduler::KeepParents(OpenRequest& request, const std::vector<BeamStep>& beams) {
  for (size_t i = 0; i < request.bases.size(); ++i) {
    Base& base = *request.bases[i];
    auto grows_out_of_it = [i](const BeamStep& beam) { return beam.parent == static_cast<int>(i); };
    if (base.sequence == kNoSequence || std::any_of(beams.begin(), beams.end(), grows_out_of_it)) continue;
    const bool keeps_cells = !IsPromptHeldBeside(request, base);
    EndSequence(std::exchange(base.sequence, kNoSequence), keeps_cells);
  }
}

// The first that grows out of a beam has its sequence, others fork from that. Where no sequence is free, a beam waits
// like a candidate that gave way.
std::unique_ptr<Base> Scheduler::MakeBeam(OpenRequest& request, const BeamStep& step, int index) {
  auto beam = std::make_unique<Base>();
  beam->candidate = index;
  beam->num_evaluated = request.usage.prompt_tokens;
  if (!request.bases.empty()) {
    Base& parent = *request.bases[step.parent];
    beam->generated = parent.generated;
    beam->num_evaluated = parent.num_evaluated;
    beam->last_step = parent.last_step;
    beam->sequence = std::exchange(parent.has_heir, true) ? ForkBeam(request, parent) : parent.sequence;
    if (beam->sequence != kNoSequence) beam->state = Base::State::kDecoding;
  }
  beam->generated.push_back(step.token);
  return beam;
}

SequenceId Scheduler::ForkBeam(const OpenRequest& request, const Base& parent) {
  const bool has_room = (Total() - Busy() - reserved_).sequences > 0;
  if (parent.sequence == kNoSequence || !has_room) return kNoSequence;
  const SequenceId fork = *cache_.Begin(request.cache_space, parent.sequence, cache_.Length(parent.sequence));
  cache_.Publish(fork);
  return fork;
}

// Its cells are free at once, and where the request may have another candidate, it begins behind the prompt.
void Scheduler::RejectBase(OpenRequest& request, Base& base) {
  base.is_finished = true;
  const bool keeps_cells = !IsPromptHeldBeside(request, base);
  EndSequence(std::exchange(base.sequence, kNoSequence), keeps_cells);
  base.state = Base::State::kDone;
  ++request.num_bases_done;
  if (request.num_refills == request.spec.max_refills) return;
  ++request.num_refills;
  auto refill = std::make_unique<Base>();
  refill->candidate = static_cast<int>(request.bases.size());
  refill->num_evaluated = request.usage.prompt_tokens;
  request.bases.push_back(std::move(refill));
}

// Else the prompt's cells would go with the rejected candidate's.
bool Scheduler::IsPromptHeldBeside(const OpenRequest& request, const Base& base) const {
  if (!HasOwnPrompt(request) || request.sequence != kNoSequence) return true;
  return std::any_of(request.bases.begin(), request.bases.end(),
                     [&](const auto& other) { return other.get() != &base && other->sequence != kNoSequence; });
}

void Scheduler::CommitPrompt(OpenRequest& request) {
  request.prompt_is_done = true;
  if (request.sequence != kNoSequence) cache_.Publish(request.sequence);
  if (request.spec.pin) return MakePrefix(request);
  if (request.spec.num_candidates > 0) return;
  auto base = std::make_unique<Base>();
  base->owns_sequence = request.sequence != kNoSequence;
  base->sequence = base->owns_sequence ? std::exchange(request.sequence, kNoSequence) : request.parent->sequence;
  base->num_evaluated = request.usage.prompt_tokens;
  base->state = Base::State::kScoring;
  base->is_finished = true;
  request.bases.push_back(std::move(base));
}

void Scheduler::MakePrefix(OpenRequest& request) {
  Prefix& prefix = prefixes_[request.spec.id];
  prefix.id = request.spec.id;
  prefix.space = request.spec.space;
  prefix.adapters = request.spec.adapters;
  prefix.tokens = request.tokens;
  prefix.sequence = std::exchange(request.sequence, kNoSequence);
  CountPinned();
}

void Scheduler::CommitBranches(OpenRequest& request, Base& base) {
  const Questions& questions = request.spec.questions;
  auto is_open = [&](const Branch& branch) {
    return branch.next_node < static_cast<int>(questions[branch.question]->nodes.size());
  };
  auto first_done = std::stable_partition(base.branches.begin(), base.branches.end(), is_open);
  for (auto branch = first_done; branch != base.branches.end(); ++branch) {
    for (SequenceId path : branch->paths) cache_.Drop(path);
  }
  base.branches.erase(first_done, base.branches.end());
  while (base.next_question < static_cast<int>(questions.size()) && questions[base.next_question]->nodes.empty()) {
    ++base.next_question;
  }
  bool has_asked = base.branches.empty() && base.next_question == static_cast<int>(questions.size());
  if (has_asked && NumMissing(request, base) == 0) FinishBase(request, base);
}

void Scheduler::FinishBase(OpenRequest& request, Base& base) {
  if (base.sequence != kNoSequence && base.owns_sequence) EndSequence(base.sequence, /*keeps_cells=*/true);
  base.sequence = kNoSequence;
  base.state = Base::State::kDone;
  ++request.num_bases_done;
}

bool Scheduler::IsDone(const OpenRequest& request) const {
  if (!request.prompt_is_done) return false;
  if (request.spec.pin) return true;
  if (request.spec.is_beam_search) return request.search_is_done;
  return request.num_bases_done == std::max(1, request.spec.num_candidates + request.num_refills);
}

// Tokens of prompt and text that aren't in the cache. One, while a candidate generates: the last it drew.
int Scheduler::NumMissing(const OpenRequest& request, const Base& base) const {
  return KnownLength(request, base) - cache_.Length(base.sequence);
}

void Scheduler::EndSequence(SequenceId sequence, bool keeps_cells) {
  keeps_cells ? cache_.Retire(sequence) : cache_.Drop(sequence);
}

void Scheduler::CountPinned() {
  std::vector<SequenceId> sequences;
  for (const auto& [id, prefix] : prefixes_) sequences.push_back(prefix.sequence);
  num_pinned_cells_ = cache_.CountCells(sequences);
}

}  // namespace winnow
