#include <algorithm>
#include <cassert>

#include "scheduler/scheduler.h"

namespace winnow {

void Scheduler::StartBases() {
  for (auto& [id, request] : running_) {
    auto is_waiting = [](const auto& base) { return base->state == Base::State::kWaiting; };
    auto num_waiting = std::count_if(request->bases.begin(), request->bases.end(), is_waiting);
    for (auto& base : request->bases) {
      if (!is_waiting(base)) continue;
      if (!StartBase(*request, *base, /*is_last=*/num_waiting == 1)) break;
      --num_waiting;
    }
  }
}

bool Scheduler::StartBase(RunningRequest& request, Base& base, bool is_last) {
  bool takes_over = is_last && request.sequence != kNoSequence;
  if (request.holds_base_need) {
    base.reserved = std::exchange(request.reserved, {});
    request.holds_base_need = false;
  } else {
    Resources need = request.base_need - Resources{0, takes_over ? 1 : 0};
    if (!Available().Covers(need)) return false;
    Reserve(base.reserved, need);
  }
  if (takes_over) {
    base.sequence = std::exchange(request.sequence, kNoSequence);
  } else {
    SequenceId source = request.sequence != kNoSequence ? request.sequence : request.parent->sequence;
    base.sequence = *cache_.Begin(source, static_cast<int>(request.tokens.size()));
  }
  // What is promised from now on is the paths of a question.
  Unreserve(base.reserved, {0, base.reserved.sequences - request.question_need.sequences});
  base.state = base.is_finished ? Base::State::kScoring : Base::State::kDecoding;
  if (!base.is_finished) decoding_.emplace_back(&request, &base);
  return true;
}

void Scheduler::PlanDecodes(Step& step) {
  size_t num_planned = 0;
  for (auto& [request, base] : decoding_) {
    if (step.tokens_left == 0 || step.outputs_left == 0) break;
    PlanRow row{*base->pending, cache_.Length(base->sequence)};
    row.wants_logits = true;
    row.request = request->spec.id;
    row.phase = Phase::kGenerate;
    base->pending.reset();
    PlanRead read{PlanRead::Kind::kSample, static_cast<int>(step.plan.rows.size()), kNoRequest, request->spec.id,
                  base->candidate};
    step.plan.reads.push_back(read);
    AddRow(step, row, {&base->sequence, 1}, base->reserved);
    ++num_planned;
  }
  std::rotate(decoding_.begin(), decoding_.begin() + num_planned, decoding_.end());
}

void Scheduler::PlanQuestions(Step& step, RunningRequest& request, Base& base) {
  bool last_token_waits = base.pending && base.wants_base_row && step.outputs_left == 0;
  if (step.tokens_left == 0 || last_token_waits) return;
  size_t first_new_branch = base.branches.size();
  StartBranches(request, base, step.tokens_left - (base.pending ? 1 : 0));
  if (base.pending) PlanLastToken(step, request, base, first_new_branch);
  for (Branch& branch : base.branches) PlanBranch(step, request, base, branch);
}

// Starts as many questions as `num_tokens` can serve; the first has its room promised, others take what is free.
void Scheduler::StartBranches(RunningRequest& request, Base& base, int num_tokens) {
  const Questions& questions = request.spec.questions;
  for (; base.next_question < static_cast<int>(questions.size()); ++base.next_question) {
    const TokenTree& tree = *questions[base.next_question];
    if (tree.nodes.empty()) continue;  // Read off the base's own row.
    if (num_tokens <= 0) break;
    Resources need{static_cast<int>(tree.nodes.size()), tree.num_paths};
    if (!base.branches.empty()) {
      if (!Available().Covers(need)) break;
      Reserve(base.reserved, need);
    }
    StartBranch(base, tree);
    num_tokens -= need.cells;
  }
}

void Scheduler::StartBranch(Base& base, const TokenTree& tree) {
  Branch branch;
  branch.question = base.next_question;
  branch.base_length = cache_.Length(base.sequence) + (base.pending ? 1 : 0);
  for (int i = 0; i < tree.num_paths; ++i) {
    branch.paths.push_back(*cache_.Begin(base.sequence, cache_.Length(base.sequence)));
  }
  Unreserve(base.reserved, {0, tree.num_paths});
  base.branches.push_back(std::move(branch));
}

// A candidate's last token goes into the cache once, for the candidate and for all questions that begin in this step.
void Scheduler::PlanLastToken(Step& step, RunningRequest& request, Base& base, size_t first_new_branch) {
  std::vector<SequenceId> sequences{base.sequence};
  for (size_t i = first_new_branch; i < base.branches.size(); ++i) {
    const std::vector<SequenceId>& paths = base.branches[i].paths;
    sequences.insert(sequences.end(), paths.begin(), paths.end());
  }
  PlanRow row{*base.pending, cache_.Length(base.sequence)};
  row.wants_logits = base.wants_base_row;
  row.request = request.spec.id;
  row.phase = Phase::kScore;
  if (base.wants_base_row) ReadBase(step, request, base.candidate, static_cast<int>(step.plan.rows.size()), kNoRequest);
  base.pending.reset();
  base.wants_base_row = false;
  ++request.usage.evaluated_prompt_tokens;
  AddRow(step, row, sequences, base.reserved);
}

void Scheduler::ReadBase(Step& step, const RunningRequest& request, int candidate, int row, RequestId saved_by) {
  for (size_t i = 0; i < request.spec.questions.size(); ++i) {
    if (!request.spec.questions[i]->reads_base) continue;
    step.plan.reads.push_back(
        {PlanRead::Kind::kScore, row, saved_by, request.spec.id, candidate, static_cast<int>(i), /*node=*/-1});
  }
}

void Scheduler::PlanBranch(Step& step, RunningRequest& request, Base& base, Branch& branch) {
  const TokenTree& tree = *request.spec.questions[branch.question];
  for (; branch.next_node < static_cast<int>(tree.nodes.size()); ++branch.next_node) {
    const TokenTree::Node& node = tree.nodes[branch.next_node];
    if (step.tokens_left == 0 || (node.wants_logits && step.outputs_left == 0)) return;
    PlanRow row{node.token, branch.base_length + node.depth};
    row.wants_logits = node.wants_logits;
    row.request = request.spec.id;
    row.phase = Phase::kScore;
    if (node.wants_logits) {
      step.plan.reads.push_back({PlanRead::Kind::kScore, static_cast<int>(step.plan.rows.size()), kNoRequest,
                                 request.spec.id, base.candidate, branch.question, branch.next_node});
    }
    ++request.usage.evaluated_prompt_tokens;
    ++request.usage.question_tokens;
    Span<const SequenceId> paths(branch.paths);
    AddRow(step, row, paths.Subspan(node.first_path, node.num_paths), base.reserved);
  }
}

void Scheduler::PlanPrompts(Step& step) {
  for (auto& [id, request] : running_) {
    if (step.tokens_left == 0) return;
    if (!request->prompt_is_done) PlanPrompt(step, *request);
  }
}

void Scheduler::PlanPrompt(Step& step, RunningRequest& request) {
  int end = static_cast<int>(request.tokens.size());
  for (int position = cache_.Length(request.sequence); position < end; ++position) {
    bool is_last = position + 1 == end;
    bool wants_logits = is_last && request.needs_last_row;
    if (step.tokens_left == 0 || (wants_logits && step.outputs_left == 0)) return;
    PlanRow row{request.tokens[position], position};
    row.wants_logits = wants_logits;
    row.request = request.spec.id;
    if (wants_logits) ReadPrompt(step, request, static_cast<int>(step.plan.rows.size()), kNoRequest);
    ++request.usage.evaluated_prompt_tokens;
    AddRow(step, row, {&request.sequence, 1}, request.reserved);
  }
}

// Everybody who reads the row behind the prompt: it is evaluated once for all candidates.
void Scheduler::ReadPrompt(Step& step, RunningRequest& request, int row, RequestId saved_by) {
  RequestId id = request.spec.id;
  if (request.spec.pin) step.plan.reads.push_back({PlanRead::Kind::kSave, row, saved_by, id});
  for (int i = 0; i < request.spec.num_candidates; ++i) {
    step.plan.reads.push_back({PlanRead::Kind::kSample, row, saved_by, id, i});
  }
  if (request.spec.num_candidates == 0) ReadBase(step, request, /*candidate=*/-1, row, saved_by);
}

void Scheduler::AddRow(Step& step, PlanRow row, Span<const SequenceId> sequences, Resources& reserved) {
  row.first_sequence = static_cast<int>(step.plan.sequences.size());
  row.num_sequences = static_cast<int>(sequences.size());
  step.plan.sequences.insert(step.plan.sequences.end(), sequences.begin(), sequences.end());
  step.plan.rows.push_back(row);
  --step.tokens_left;
  step.outputs_left -= row.wants_logits;
  Unreserve(reserved, {1, 0});  // Promised until now, busy from now on.
  cache_.Append(sequences, row.token);
}

}  // namespace winnow
