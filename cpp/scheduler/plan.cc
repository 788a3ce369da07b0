#include <algorithm>
#include <cassert>
#include <tuple>

#include "scheduler/scheduler.h"

namespace winnow {

// Candidates with one token to evaluate. Higher priorities first; where a step has not enough rows for all, those that
// have waited longest.
void Scheduler::PlanDecodes(Step& step) {
  std::vector<std::pair<OpenRequest*, Base*>> decodes;
  for (OpenRequest* request : running_) {
    if (!step.Serves(*request)) continue;
    for (auto& base : request->bases) {
      bool is_ready = base->state == Base::State::kDecoding && base->allotted > 0 && !base->awaits_round &&
                      NumMissing(*request, *base) == 1;
      if (is_ready) decodes.emplace_back(request, base.get());
    }
  }
  auto goes_first = [](const auto& a, const auto& b) {
    return std::make_tuple(-a.first->spec.priority, a.second->last_step) <
           std::make_tuple(-b.first->spec.priority, b.second->last_step);
  };
  std::stable_sort(decodes.begin(), decodes.end(), goes_first);
  for (auto& [request, base] : decodes) {
    if (TokensLeft(step, *request) == 0 || step.outputs_left == 0) return;
    if (FitsStep(step, *request, *base)) PlanDecode(step, *request, *base);
  }
}

// Checks run in the step of the token before them, whole: so a text does not depend on what else the step has.
bool Scheduler::FitsStep(Step& step, const OpenRequest& request, const Base& base) {
  if (!base.wants_check) return true;
  // The first that is held back may be too much for the target: it would not be less in any later step.
  bool goes_on = IsHeldBack(step, request) && !step.held.has_one;
  int tokens_left = goes_on ? step.tokens_left : TokensLeft(step, request);
  return tokens_left > request.check_need.cells && step.outputs_left > request.num_check_reads;
}

void Scheduler::PlanDecode(Step& step, OpenRequest& request, Base& base) {
  const Position position = cache_.Length(base.sequence);
  const int index = static_cast<int>(step.plan.rows.size());
  PlanRow row = RowOf(request, TokenAt(request, base, position), position, Phase::kGenerate);
  row.wants_logits = true;
  request.usage.recomputed_tokens += position < base.num_evaluated;
  base.num_evaluated = std::max(base.num_evaluated, position + 1);
  base.last_step = num_steps_;
  base.awaits_round = request.spec.is_beam_search;
  if (base.wants_check) {
    AddRow(step, request, row, ForkForChecks(request, base));
    PlanChecks(step, request, base, index);
  } else {
    AddRow(step, request, row, {&base.sequence, 1});
  }
  // Behind the checks: their answers decide whether another token is drawn.
  step.plan.reads.push_back({PlanRead::Kind::kSample, index, kNoRequest, request.spec.id, base.candidate});
}

// Returns the candidate's sequence and one fork of it per path of the checks.
std::vector<SequenceId> Scheduler::ForkForChecks(OpenRequest& request, Base& base) {
  const int num_paths = request.check_need.sequences;
  for (int i = 0; i < num_paths; ++i) {
    base.check_paths.push_back(*cache_.Begin(request.cache_space, base.sequence, cache_.Length(base.sequence)));
  }
  Unreserve(base, {0, num_paths});
  std::vector<SequenceId> sequences{base.sequence};
  sequences.insert(sequences.end(), base.check_paths.begin(), base.check_paths.end());
  return sequences;
}

void Scheduler::PlanChecks(Step& step, OpenRequest& request, Base& base, int base_row) {
  const Position base_length = cache_.Length(base.sequence);
  Span<const SequenceId> paths(base.check_paths);
  for (size_t i = 0; i < request.spec.checks.size(); ++i) {
    const TokenTree& tree = *request.spec.checks[i];
    auto read = [&](int row, int node) {
      step.plan.reads.push_back(
          {PlanRead::Kind::kCheck, row, kNoRequest, request.spec.id, base.candidate, static_cast<int>(i), node});
    };
    if (tree.reads_base) read(base_row, /*node=*/-1);
    for (size_t node = 0; node < tree.nodes.size(); ++node) {
      PlanRow row = RowOf(request, tree.nodes[node].token, base_length + tree.nodes[node].depth, Phase::kScore);
      row.wants_logits = tree.nodes[node].wants_logits;
      if (row.wants_logits) read(static_cast<int>(step.plan.rows.size()), static_cast<int>(node));
      ++request.usage.evaluated_prompt_tokens;
      ++request.usage.question_tokens;
      Unreserve(base, {1, 0});
      AddRow(step, request, row, paths.Subspan(tree.nodes[node].first_path, tree.nodes[node].num_paths));
    }
    paths = paths.Subspan(tree.num_paths);
  }
  base.wants_check = false;
}

void Scheduler::PlanQuestions(Step& step, OpenRequest& request, Base& base) {
  int missing = NumMissing(request, base);
  bool has_last_token = missing == 1;
  bool must_wait = has_last_token && (base.allotted == 0 || (base.wants_base_row && step.outputs_left == 0));
  const int tokens_left = TokensLeft(step, request);
  if (tokens_left == 0 || missing > 1 || must_wait) return;
  std::vector<SequenceId> new_paths = StartBranches(request, base, tokens_left - missing);
  if (has_last_token) PlanLastToken(step, request, base, std::move(new_paths));
  for (Branch& branch : base.branches) {
    if (!branch.paths.empty()) PlanBranch(step, request, base, branch);
  }
}

// Starts as many questions as `num_tokens` can serve, those that were preempted first. The first has its room, others
// take what nobody is expected to need.
std::vector<SequenceId> Scheduler::StartBranches(OpenRequest& request, Base& base, int num_tokens) {
  std::vector<SequenceId> sequences;
  const Questions& questions = request.spec.questions;
  auto starts = [&](Branch* branch) {
    num_tokens -= static_cast<int>(questions[branch->question]->nodes.size());
    return StartBranch(request, base, branch, &sequences);
  };
  for (Branch& branch : base.branches) {
    if (branch.paths.empty() && (num_tokens <= 0 || !starts(&branch))) return sequences;
  }
  for (; base.next_question < static_cast<int>(questions.size()); ++base.next_question) {
    if (questions[base.next_question]->nodes.empty()) continue;  // Read off the base's own row.
    Branch branch;
    branch.question = base.next_question;
    if (num_tokens <= 0 || !starts(&branch)) break;
    base.branches.push_back(std::move(branch));
  }
  return sequences;
}

bool Scheduler::StartBranch(OpenRequest& request, Base& base, Branch* branch, std::vector<SequenceId>* sequences) {
  const TokenTree& tree = *request.spec.questions[branch->question];
  if (!TakeRoomForQuestion(base, {static_cast<int>(tree.nodes.size()), tree.num_paths})) return false;
  branch->base_length = KnownLength(request, base);
  for (int i = 0; i < tree.num_paths; ++i) {
    branch->paths.push_back(*cache_.Begin(request.cache_space, base.sequence, cache_.Length(base.sequence)));
  }
  Unreserve(base, {0, tree.num_paths});
  sequences->insert(sequences->end(), branch->paths.begin(), branch->paths.end());
  return true;
}

bool Scheduler::TakeRoomForQuestion(Base& base, const Resources& need) {
  bool is_next = base.reserved.sequences > 0;  // AllotQuestion's; what has begun holds its sequences.
  if (is_next) return true;
  if (!FreeBeyondGrowth().Covers(need)) return false;
  Reserve(base, need);
  return true;
}

// A candidate's last token goes into the cache once, for the candidate and for all questions that begin in this step.
void Scheduler::PlanLastToken(Step& step, OpenRequest& request, Base& base, std::vector<SequenceId> sequences) {
  sequences.insert(sequences.begin(), base.sequence);
  Position position = cache_.Length(base.sequence);
  PlanRow row = RowOf(request, TokenAt(request, base, position), position, Phase::kScore);
  row.wants_logits = base.wants_base_row;
  if (base.wants_base_row) ReadBase(step, request, base.candidate, static_cast<int>(step.plan.rows.size()), kNoRequest);
  bool is_again = position < base.num_evaluated;
  ++(is_again ? request.usage.recomputed_tokens : request.usage.evaluated_prompt_tokens);
  base.wants_base_row = false;
  base.num_evaluated = std::max(base.num_evaluated, position + 1);
  AddRow(step, request, row, sequences);
}

void Scheduler::ReadBase(Step& step, const OpenRequest& request, int candidate, int row, RequestId saved_by) {
  for (size_t i = 0; i < request.spec.questions.size(); ++i) {
    if (!request.spec.questions[i]->reads_base) continue;
    step.plan.reads.push_back(
        {PlanRead::Kind::kScore, row, saved_by, request.spec.id, candidate, static_cast<int>(i), /*node=*/-1});
  }
}

void Scheduler::PlanBranch(Step& step, OpenRequest& request, Base& base, Branch& branch) {
  const TokenTree& tree = *request.spec.questions[branch.question];
  for (; branch.next_node < static_cast<int>(tree.nodes.size()); ++branch.next_node) {
    const TokenTree::Node& node = tree.nodes[branch.next_node];
    bool is_again = branch.next_node < branch.num_evaluated;
    bool is_read = node.wants_logits && !is_again;
    if (TokensLeft(step, request) == 0 || (is_read && step.outputs_left == 0)) return;
    PlanRow row = RowOf(request, node.token, branch.base_length + node.depth, Phase::kScore);
    row.wants_logits = is_read;
    if (is_read) {
      step.plan.reads.push_back({PlanRead::Kind::kScore, static_cast<int>(step.plan.rows.size()), kNoRequest,
                                 request.spec.id, base.candidate, branch.question, branch.next_node});
    }
    request.usage.recomputed_tokens += is_again;
    request.usage.evaluated_prompt_tokens += !is_again;
    request.usage.question_tokens += !is_again;
    branch.num_evaluated = std::max(branch.num_evaluated, branch.next_node + 1);
    Unreserve(base, {1, 0});
    Span<const SequenceId> paths(branch.paths);
    AddRow(step, request, row, paths.Subspan(node.first_path, node.num_paths));
  }
}

// Prompts, and what was preempted, by rank.
void Scheduler::PlanPrompts(Step& step) {
  for (OpenRequest* request : running_) {
    if (step.tokens_left == 0) return;
    if (!step.Serves(*request)) continue;
    if (!request->prompt_is_done) PlanPrompt(step, *request);
    for (auto& base : request->bases) PlanCatchUp(step, *request, *base);
  }
}

void Scheduler::PlanPrompt(Step& step, OpenRequest& request) {
  if (request.sequence != kNoSequence && IsToRestore(request)) return PlanRestored(step, request);
  const int end = request.usage.prompt_tokens;
  for (; request.allotted > 0 && TokensLeft(step, request) > 0; --request.allotted) {
    const Position position = cache_.Length(request.sequence);
    const bool wants_logits = position + 1 == end && request.needs_last_row;
    if (wants_logits && step.outputs_left == 0) return;
    PlanRow row = RowOf(request, request.tokens[position], position, Phase::kPrefill);
    row.wants_logits = wants_logits;
    if (wants_logits) ReadPrompt(step, request, static_cast<int>(step.plan.rows.size()), kNoRequest);
    bool is_again = position < request.num_evaluated;
    ++(is_again ? request.usage.recomputed_tokens : request.usage.evaluated_prompt_tokens);
    request.num_evaluated = std::max(request.num_evaluated, position + 1);
    AddRow(step, request, row, {&request.sequence, 1});
  }
}

void Scheduler::PlanRestored(Step& step, OpenRequest& request) {
  const int length = request.usage.prompt_tokens;
  if (request.allotted < length) return;
  step.plan.restores.push_back({request.spec.id, request.sequence, length});
  for (Token token : request.tokens) cache_.Append({&request.sequence, 1}, token);
  request.usage.cached_tokens = length;
  request.num_evaluated = length;
  request.allotted = 0;
}

// All but the last token, whose row is read: it follows in a step of its own, like any other.
void Scheduler::PlanCatchUp(Step& step, OpenRequest& request, Base& base) {
  if (base.state != Base::State::kDecoding && base.state != Base::State::kScoring) return;
  for (; base.allotted > 0 && TokensLeft(step, request) > 0 && NumMissing(request, base) > 1; --base.allotted) {
    const Position position = cache_.Length(base.sequence);
    ++request.usage.recomputed_tokens;
    AddRow(step, request, RowOf(request, TokenAt(request, base, position), position, Phase::kPrefill),
           {&base.sequence, 1});
  }
}

// Everybody who reads the row behind the prompt: it is evaluated once for all candidates.
void Scheduler::ReadPrompt(Step& step, OpenRequest& request, int row, RequestId saved_by) {
  RequestId id = request.spec.id;
  if (request.spec.pin) step.plan.reads.push_back({PlanRead::Kind::kSave, row, saved_by, id});
  const int num_reads = request.spec.is_beam_search ? 1 : request.spec.num_candidates;  // All beams begin as one.
  for (int i = 0; i < num_reads; ++i) {
    step.plan.reads.push_back({PlanRead::Kind::kSample, row, saved_by, id, i});
  }
  if (request.spec.num_candidates == 0) ReadBase(step, request, /*candidate=*/-1, row, saved_by);
}

PlanRow Scheduler::RowOf(const OpenRequest& request, Token token, Position position, Phase phase) const {
  PlanRow row{token, position};
  row.request = request.spec.id;
  row.phase = phase;
  return row;
}

void Scheduler::AddRow(Step& step, OpenRequest& request, PlanRow row, Span<const SequenceId> sequences) {
  row.first_sequence = static_cast<int>(step.plan.sequences.size());
  row.num_sequences = static_cast<int>(sequences.size());
  step.plan.sequences.insert(step.plan.sequences.end(), sequences.begin(), sequences.end());
  step.plan.rows.push_back(row);
  --step.tokens_left;
  step.held.has_one |= IsHeldBack(step, request);
  step.outputs_left -= row.wants_logits;
  request.space->served += 1;
  cache_.Append(sequences, row.token);
}

}  // namespace winnow
