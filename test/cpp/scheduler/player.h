#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "fake_backend.h"
#include "scheduler/scheduler.h"

// A small vocabulary for the scheduler's tests.
namespace winnow {

using Tokens = std::vector<Token>;

inline Tokens Count(int length, Token first = 'a') {
  Tokens tokens(length);
  for (int i = 0; i < length; ++i) tokens[i] = first + i % 20;
  return tokens;
}

inline SchedulerOptions Sized(int step, int cells, int sequences) {
  SchedulerOptions options;
  options.max_step_tokens = step;
  options.max_step_outputs = step;
  options.cache.num_cells = cells;
  options.cache.max_sequences = sequences;
  return options;
}

// A question with a suffix of `suffix` tokens and `leaves` two-token labels that begin differently.
inline std::shared_ptr<const TokenTree> Question(int suffix, int leaves = 0) {
  TokenTree tree;
  int paths = std::max(1, leaves);
  for (int i = 0; i < suffix; ++i) tree.nodes.push_back({'q', i - 1, i, 0, paths, i == suffix - 1});
  for (int i = 0; i < leaves; ++i) tree.nodes.push_back({'A' + i, suffix - 1, suffix, i, 1, true});
  tree.num_paths = tree.nodes.empty() ? 0 : paths;
  tree.reads_base = suffix == 0;
  return std::make_shared<const TokenTree>(std::move(tree));
}

inline ScheduledRequest Generate(RequestId id, Tokens prompt, int max_tokens, int candidates = 1) {
  ScheduledRequest request;
  request.id = id;
  request.prompt = std::move(prompt);
  request.num_candidates = candidates;
  request.max_tokens = max_tokens;
  return request;
}

inline ScheduledRequest Pin(RequestId id, Tokens prompt) {
  ScheduledRequest request;
  request.id = id;
  request.prompt = std::move(prompt);
  request.pin = true;
  return request;
}

// Plays backend and sampler: greedy on the fake model, a candidate ends after `max_tokens`.
class Player {
 public:
  explicit Player(const SchedulerOptions& options) : scheduler(options), max_step_tokens_(options.max_step_tokens) {
    ModelOptions model;
    model.paths = {"fake"};
    model.context_size = 4096;
    model.cache_tokens = options.cache.num_cells;
    model.max_sequences = options.cache.max_sequences;
    backend = std::make_unique<FakeBackend>(model);
  }

  void Add(ScheduledRequest request) {
    max_tokens_[request.id] = request.max_tokens;
    scheduler.Add(std::move(request));
  }

  // False when there was nothing to do.
  bool Step() {
    if (scheduler.is_idle()) return false;
    StepPlan plan = scheduler.Plan(now);
    if (on_plan) on_plan(plan);
    EXPECT_LE(static_cast<int>(plan.rows.size()), max_step_tokens_);
    Logits logits = backend->Run(plan);
    for (const PlanRestore& restore : plan.restores) Restore(restore);
    std::vector<SampleOutcome> outcomes(plan.reads.size());
    for (size_t i = 0; i < plan.reads.size(); ++i) Read(plan.reads[i], logits, &outcomes[i]);
    if (step_ms) Measure(plan);
    scheduler.Commit(plan, outcomes);
    row_counts.push_back(static_cast<int>(plan.rows.size()));
    for (FinishedRequest& request : scheduler.TakeFinished()) finished[request.id] = request;
    for (RequestId id : scheduler.TakeReleasedPrefixes()) saved_.erase(id);
    return true;
  }

  void Run() {
    for (int i = 0; Step(); ++i) ASSERT_LT(i, 100000);
  }

  void ExpectTextsOfAlone(const ScheduledRequest& request);

  // The book and the fake cache agree.
  void ExpectSameCells() {
    backend->Run(scheduler.Plan(now));  // Removals that wait for the next step.
    EXPECT_EQ(scheduler.cache().num_used_cells(), backend->num_used_cells());
  }

  std::map<RequestId, Tokens> files;  // What requests with is_saved restore.
  TimeMs now = 0;
  std::function<double(int rows)> step_ms;  // What a step takes, by its rows; null: nothing, and nobody measures.
  std::function<void(const StepPlan&)> on_plan;
  Scheduler scheduler;
  std::unique_ptr<FakeBackend> backend;
  std::map<RequestId, FinishedRequest> finished;
  std::map<std::pair<RequestId, int>, Tokens> texts;
  std::set<std::vector<int>> scores;  // request, candidate, question, node
  std::vector<int> row_counts;        // Of each step.
  int check_every = 0;                // Tokens; 0 = never.
  std::function<bool(int candidate, int length)> rejects;
  std::vector<std::vector<int>> checks;  // candidate, check, node: in the order of their reads

 private:
  void Restore(const PlanRestore& restore) {
    const Tokens& tokens = files.at(restore.request);
    const auto* bytes = reinterpret_cast<const uint8_t*>(tokens.data());
    try {
      backend->RestoreSequence(restore.sequence, restore.length, {bytes, tokens.size() * sizeof(Token)});
      saved_[restore.request] = backend->RowBehind(tokens);
    } catch (const Error& error) {
      scheduler.FailRestore(restore, error.code(), error.what());
    }
  }

  void Measure(const StepPlan& plan) {
    const double milliseconds = step_ms(static_cast<int>(plan.rows.size()));
    scheduler.Measure(plan, milliseconds);
    now += static_cast<TimeMs>(milliseconds);
  }

  void Read(const PlanRead& read, const Logits& logits, SampleOutcome* outcome) {
    std::vector<float> row = read.row < 0
                                 ? saved_.at(read.saved_by)
                                 : std::vector<float>(logits.Row(read.row).begin(), logits.Row(read.row).end());
    if (read.kind == PlanRead::Kind::kSave) saved_[read.request] = row;
    if (read.kind == PlanRead::Kind::kScore) {
      bool is_new = scores.insert({static_cast<int>(read.request), read.candidate, read.question, read.node}).second;
      EXPECT_TRUE(is_new) << "a row was read twice";
    }
    if (read.kind == PlanRead::Kind::kCheck) checks.push_back({read.candidate, read.question, read.node});
    if (read.kind != PlanRead::Kind::kSample) return;
    const int length = static_cast<int>(texts[{read.request, read.candidate}].size());
    bool was_checked = check_every > 0 && length > 0 && length % check_every == 0;
    if (was_checked && rejects && rejects(read.candidate, length)) {
      outcome->finish = SampleOutcome::Finish::kReject;
      return;
    }
    // Candidates differ: candidate c takes the c-th best token.
    std::vector<Token> order(row.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Token>(i);
    std::stable_sort(order.begin(), order.end(), [&](Token a, Token b) { return row[a] > row[b]; });
    Tokens& text = texts[{read.request, read.candidate}];
    outcome->token = order[text.empty() ? read.candidate : 0];
    text.push_back(outcome->token);
    outcome->wants_check = check_every > 0 && text.size() % check_every == 0;
    bool is_last = static_cast<int>(text.size()) == max_tokens_[read.request];
    if (is_last) outcome->finish = SampleOutcome::Finish::kKeepToken;
  }

  int max_step_tokens_;
  std::map<RequestId, int> max_tokens_;
  std::map<RequestId, std::vector<float>> saved_;
};

// What a candidate becomes when it is alone and everything is computed afresh.
inline Tokens Alone(const FakeBackend& backend, Tokens tokens, int max_tokens, int candidate,
                    const AdapterSet& adapters = {}) {
  Tokens text;
  for (int i = 0; i < max_tokens; ++i) {
    std::vector<float> row = backend.RowBehind(tokens, adapters);
    std::vector<Token> order(row.size());
    for (size_t j = 0; j < order.size(); ++j) order[j] = static_cast<Token>(j);
    std::stable_sort(order.begin(), order.end(), [&](Token a, Token b) { return row[a] > row[b]; });
    text.push_back(order[i == 0 ? candidate : 0]);
    tokens.push_back(text.back());
  }
  return text;
}

// Every candidate of the request has the text that it has alone.
inline void Player::ExpectTextsOfAlone(const ScheduledRequest& request) {
  ASSERT_EQ(finished.count(request.id), 1u) << "request " << request.id << " was never answered";
  EXPECT_EQ(finished[request.id].error_code, "") << request.id;
  for (int i = 0; i < request.num_candidates; ++i) {
    EXPECT_EQ((texts[{request.id, i}]), Alone(*backend, request.prompt, request.max_tokens, i, request.adapters))
        << request.id;
  }
}

}  // namespace winnow
