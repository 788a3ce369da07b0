#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "player.h"

namespace winnow {
namespace {

// The cells of a real cache, and a text that depends on all of them: O(1) per row.
class CellModel {
 public:
  CellModel(int num_cells, int num_sequences) : max_cells_(num_cells), sequences_(num_sequences) {}

  void Run(const StepPlan& plan) {
    for (const CacheOp& op : plan.cache_ops) Apply(op);
    behind_.clear();
    for (const PlanRow& row : plan.rows) Evaluate(row, plan.SequencesOf(row), plan.adapters);
  }
  void Restore(const PlanRestore& restore, Span<const Token> tokens, const AdapterSet& adapters) {
    ASSERT_TRUE(sequences_[restore.sequence].empty());
    ASSERT_EQ(static_cast<int>(tokens.size()), restore.length);
    uint64_t seen = 1;
    for (Token token : tokens) {
      seen = See(seen, token, adapters);
      sequences_[restore.sequence].push_back(static_cast<int>(cells_.size()));
      cells_.push_back({token, seen, 1});
      ASSERT_LE(++num_used_, max_cells_);
    }
  }
  // A number that says what is seen behind the row.
  uint64_t Behind(int row) const { return behind_[row]; }
  int num_used() const { return num_used_; }
  std::vector<Token> TokensOf(SequenceId sequence) const {
    std::vector<Token> tokens;
    for (int cell : sequences_[sequence]) tokens.push_back(cells_[cell].token);
    return tokens;
  }

  static uint64_t Mix(uint64_t state, Token token) {
    state = (state ^ static_cast<uint64_t>(token + 1)) * 0x9e3779b97f4a7c15ULL;
    return state ^ (state >> 29);
  }
  // A token that is computed with adapters.
  static uint64_t See(uint64_t state, Token token, const AdapterSet& adapters) {
    for (const AdapterScale& each : adapters) state = Mix(state, 1000 * each.adapter + static_cast<Token>(each.scale));
    return Mix(state, token);
  }

 private:
  struct Cell {
    Token token;
    uint64_t seen;
    int owners;
  };

  void Apply(const CacheOp& op) {
    std::vector<int>& target = sequences_[op.target];
    if (op.kind == CacheOp::Kind::kRemove) {
      while (static_cast<int>(target.size()) > op.begin) {
        num_used_ -= --cells_[target.back()].owners == 0;
        target.pop_back();
      }
      return;
    }
    ASSERT_TRUE(target.empty());
    ASSERT_GE(static_cast<int>(sequences_[op.source].size()), op.end);
    target.assign(sequences_[op.source].begin(), sequences_[op.source].begin() + op.end);
    for (int cell : target) ++cells_[cell].owners;
  }

  void Evaluate(const PlanRow& row, Span<const SequenceId> owners, const AdapterSet& adapters) {
    const std::vector<int> before = sequences_[owners.front()];
    uint64_t seen = See(before.empty() ? 1 : cells_[before.back()].seen, row.token, adapters);
    ASSERT_EQ(static_cast<int>(before.size()), row.position);
    for (SequenceId id : owners) {
      ASSERT_EQ(sequences_[id].size(), before.size());
      ASSERT_TRUE(before.empty() || cells_[sequences_[id].back()].seen == cells_[before.back()].seen);
      sequences_[id].push_back(static_cast<int>(cells_.size()));
    }
    cells_.push_back({row.token, seen, static_cast<int>(owners.size())});
    ASSERT_LE(++num_used_, max_cells_);
    behind_.push_back(seen);
  }

  int max_cells_;
  std::vector<std::vector<int>> sequences_;
  std::vector<Cell> cells_;  // All that ever were.
  int num_used_ = 0;
  std::vector<uint64_t> behind_;
};

Token DrawFrom(uint64_t seen, int candidate) { return static_cast<Token>('a' + (seen >> 7) % 13 + candidate % 3); }

// Every operation that there is, in random order, on a cache that is far too small.
class Storm {
 public:
  explicit Storm(unsigned seed)
      : random_(seed),
        cells_(90 + random_() % 100),
        sequences_(4 + random_() % 14),
        options_(Sized(1 + random_() % 24, cells_, sequences_)),
        is_paced_(seed % 2 == 1 && options_.max_step_tokens >= 8),
        num_sets_(seed % 3 == 0 ? 3 : 1),
        scheduler_(Paced(options_, is_paced_ ? 8 : 0)),
        model_(cells_, sequences_) {}

  void Operate() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
        return Submit();
      case 3:
        if (random_() % 3 == 0) scheduler_.Cancel(AnyOpen());
        return CheckBook();
      case 4:
        return ReleaseOne();
      case 5:
        now_ += static_cast<TimeMs>(random_() % 2000);
        return;
      default:
        return Step();
    }
  }

  void Drain() {
    for (int i = 0; !scheduler_.is_idle(); ++i) {
      ASSERT_LT(i, 100000) << "somebody waits for ever";
      Step();
    }
    while (!prefixes_.empty()) ReleaseOne(/*surely=*/true);
    model_.Run(scheduler_.Plan(now_));
    EXPECT_EQ(scheduler_.num_pinned_cells(), 0);
    EXPECT_EQ(scheduler_.cache().num_busy_cells(), 0);
    EXPECT_EQ(scheduler_.cache().num_busy_sequences(), 0);
    for (const auto& [id, request] : open_) ADD_FAILURE() << "request " << id << " was never answered";
  }

  int64_t num_preemptions() const { return scheduler_.counts().preemptions; }
  // A step of a few rows leaves nothing to hold back.
  bool is_paced() const { return is_paced_; }
  int64_t num_held_steps() const { return scheduler_.counts().held_steps; }
  int num_timeouts = 0, num_full = 0, num_finished = 0, num_rejected = 0, num_restored = 0;

 private:
  static SchedulerOptions Paced(SchedulerOptions options, double target_inter_token_ms) {
    options.target_inter_token_ms = target_inter_token_ms;
    return options;
  }

  struct Asked {
    ScheduledRequest spec;
    Tokens prompt;  // With the parent's.
    std::map<int, Tokens> texts;
    std::map<int, bool> has_ended;
    std::set<std::tuple<int, int, int>> scores;
    int check_every = 0;
    std::map<int, std::set<std::pair<int, int>>> check_reads;  // Of the checks at hand: check, node.
    int num_rejected = 0;
    int num_checks = 0;
    std::set<int> beams_read;  // In the round at hand.
    int num_rounds = 0;
    int num_drawn = 0;
  };

  struct Pinned {
    Tokens tokens;
    AdapterSet adapters;
  };

  void Submit() {
    if (open_.size() > 12) return;
    ScheduledRequest request = Generate(next_, Count(1 + random_() % 40, 'a' + random_() % 2), 1 + random_() % 30,
                                        static_cast<int>(random_() % 4));
    for (int q = random_() % 3; q > 0; --q) request.questions.push_back(Question(random_() % 3, random_() % 3));
    if (request.num_candidates == 0 && request.questions.empty()) {
      request.pin = true;
      request.prompt.resize(1 + random_() % 12, 'p');
    }
    if (request.num_candidates > 1 && random_() % 3 == 0) {
      request.is_beam_search = true;
      request.questions.clear();
    }
    const int check_every =
        request.num_candidates > 0 && !request.is_beam_search && random_() % 2 == 0 ? 1 + random_() % 5 : 0;
    if (check_every > 0) AddChecks(&request);
    request.space = std::string(1, static_cast<char>('x' + random_() % 2));
    if (const auto set = static_cast<int>(random_() % num_sets_))
      request.adapters = {{1, 1}, {2, static_cast<float>(set)}};
    request.priority = static_cast<double>(random_() % 3);
    request.submitted = now_;
    if (random_() % 6 == 0) request.deadline = now_ + static_cast<TimeMs>(random_() % 4000);
    Asked asked{request, request.prompt, {}, {}, {}, check_every, {}, 0, 0, {}, 0, 0};
    if (!prefixes_.empty() && random_() % 3 == 0) {
      const auto& parent = *std::next(prefixes_.begin(), random_() % prefixes_.size());
      request.parent = asked.spec.parent = parent.first;
      asked.spec.adapters = parent.second.adapters;
      if (random_() % 2 == 0) request.prompt.clear();
      asked.prompt = parent.second.tokens;
      asked.prompt.insert(asked.prompt.end(), request.prompt.begin(), request.prompt.end());
    } else if (request.pin) {
      request.is_saved = random_() % 4 != 0;
    }
    try {
      scheduler_.Add(request);
      open_[next_] = std::move(asked);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "ERR_CACHE_TOO_SMALL");
    }
    ++next_;
    CheckBook();
  }

  // As many as a step has room for.
  void AddChecks(ScheduledRequest* request) {
    int rows = options_.max_step_tokens - 1;
    for (int c = 1 + random_() % 2; c > 0; --c) {
      auto tree = Question(random_() % 3, random_() % 3);
      rows -= static_cast<int>(tree->nodes.size());
      if (rows >= 0) request->checks.push_back(tree);
    }
    request->max_refills = static_cast<int>(random_() % 3);
  }

  RequestId AnyOpen() {
    if (open_.empty()) return kNoRequest;
    auto chosen = std::next(open_.begin(), random_() % open_.size());
    RequestId id = chosen->first;
    open_.erase(chosen);
    return id;
  }

  void ReleaseOne(bool surely = false) {
    if (prefixes_.empty() || (!surely && prefixes_.size() < 3 && random_() % 3 != 0)) return;
    auto chosen = std::next(prefixes_.begin(), random_() % prefixes_.size());
    scheduler_.Release(chosen->first);
    prefixes_.erase(chosen);
    CheckBook();
  }

  void Step() {
    StepPlan plan = scheduler_.Plan(now_);
    EXPECT_LE(static_cast<int>(plan.rows.size()), options_.max_step_tokens);
    model_.Run(plan);
    for (const FinishedRequest& finished : scheduler_.TakeFinished()) Finish(finished);  // Timeouts and refusals.
    if (random_() % 400 == 0 && !plan.empty()) {
      scheduler_.Fail(plan, "ERR_COMPUTE", "out of luck");
    } else {
      std::vector<SampleOutcome> outcomes(plan.reads.size());
      Restore(plan);
      for (size_t i = 0; i < plan.reads.size(); ++i) Read(plan.reads[i], &outcomes[i]);
      scheduler_.Measure(plan, 4 + static_cast<double>(plan.rows.size() + random_() % 4));
      scheduler_.Commit(plan, outcomes);
    }
    for (const FinishedRequest& finished : scheduler_.TakeFinished()) Finish(finished);
    scheduler_.TakeReleasedPrefixes();
    CheckBook();
    if (random_() % 8 == 0) CheckSequences();
  }

  void Restore(const StepPlan& plan) {
    for (const PlanRestore& restore : plan.restores) {
      if (random_() % 20 == 0) {
        scheduler_.FailRestore(restore, "ERR_PREFIX_FILE", "out of luck");
        continue;
      }
      ++num_restored;
      model_.Restore(restore, scheduler_.PromptOf(restore.request), open_.at(restore.request).spec.adapters);
      saved_[restore.request] = Expected(open_.at(restore.request), {});
    }
  }

  void Read(const PlanRead& read, SampleOutcome* outcome) {
    uint64_t seen = read.row >= 0 ? model_.Behind(read.row) : saved_.at(read.saved_by);
    if (read.kind == PlanRead::Kind::kSave) saved_[read.request] = seen;
    auto found = open_.find(read.request);
    ASSERT_NE(found, open_.end()) << "a request that has ended still reads";
    Asked& asked = found->second;
    if (read.kind == PlanRead::Kind::kScore) {
      bool is_new = asked.scores.insert({read.candidate, read.question, read.node}).second;
      EXPECT_TRUE(is_new) << "a row was read twice";
    }
    if (read.kind == PlanRead::Kind::kCheck) return ReadCheck(read, seen, asked);
    if (read.kind != PlanRead::Kind::kSample) return;
    if (asked.spec.is_beam_search) return ReadBeam(read, seen, asked, outcome);
    Tokens& text = asked.texts[read.candidate];
    if (IsChecked(asked, text)) {
      ++asked.num_checks;
      size_t num_reads = 0;
      for (const auto& tree : asked.spec.checks) num_reads += tree->reads_base;
      for (const auto& tree : asked.spec.checks) {
        for (const auto& node : tree->nodes) num_reads += node.wants_logits;
      }
      EXPECT_EQ(asked.check_reads[read.candidate].size(), num_reads)
          << "a token is drawn before its checks are answered";
      asked.check_reads[read.candidate].clear();
      if (Expected(asked, text) % 3 == 0) {
        outcome->finish = SampleOutcome::Finish::kReject;
        asked.has_ended[read.candidate] = true;
        ++asked.num_rejected;
        return;
      }
    }
    EXPECT_EQ(seen, Expected(asked, text)) << "request " << read.request << " does not see its own text";
    EXPECT_FALSE(asked.has_ended[read.candidate]);
    outcome->token = DrawFrom(seen, read.candidate);
    bool is_last = static_cast<int>(text.size()) + 1 == asked.spec.max_tokens;
    bool is_eos = seen % 23 == 0;
    if (is_last) outcome->finish = SampleOutcome::Finish::kKeepToken;
    if (is_eos) outcome->finish = SampleOutcome::Finish::kDropToken;
    asked.has_ended[read.candidate] = is_last || is_eos;
    text.push_back(outcome->token);
    outcome->wants_check = outcome->finish == SampleOutcome::Finish::kNo && IsChecked(asked, text);
  }

  // Who grows out of whom is as good as random, and the same whenever the rows are read.
  void ReadBeam(const PlanRead& read, uint64_t seen, Asked& asked, SampleOutcome* outcome) {
    EXPECT_EQ(seen, Expected(asked, asked.texts[read.candidate])) << "a beam does not see its own text";
    EXPECT_TRUE(asked.beams_read.insert(read.candidate).second) << "a beam was read twice in a round";
    const size_t num_beams = asked.num_rounds == 0 ? 1 : asked.texts.size();
    if (asked.beams_read.size() < num_beams) return;
    asked.beams_read.clear();
    if (++asked.num_rounds == asked.spec.max_tokens) {
      outcome->finish = SampleOutcome::Finish::kKeepToken;
      return;
    }
    uint64_t state = 1;
    for (const auto& [beam, text] : asked.texts) state ^= Expected(asked, text) >> beam;
    std::map<int, Tokens> next;
    const int num_next = std::max(1, asked.spec.num_candidates - static_cast<int>(state % 2));
    for (int i = 0; i < num_next; ++i) {
      state = CellModel::Mix(state, i);
      const BeamStep step{static_cast<int>((state >> 8) % num_beams), DrawFrom(state, i)};
      outcome->beams.push_back(step);
      next[i] = asked.texts[step.parent];
      next[i].push_back(step.token);
    }
    asked.num_drawn += num_next;
    asked.texts = std::move(next);
  }

  static bool IsChecked(const Asked& asked, const Tokens& text) {
    return asked.check_every > 0 && !text.empty() && text.size() % asked.check_every == 0;
  }

  void ReadCheck(const PlanRead& read, uint64_t seen, Asked& asked) {
    bool is_new = asked.check_reads[read.candidate].insert({read.question, read.node}).second;
    EXPECT_TRUE(is_new) << "a row was read twice";
    const TokenTree& tree = *asked.spec.checks[read.question];
    Tokens path;
    for (int node = read.node; node >= 0; node = tree.nodes[node].parent)
      path.insert(path.begin(), tree.nodes[node].token);
    uint64_t expected = Expected(asked, asked.texts[read.candidate]);
    for (Token token : path) expected = CellModel::See(expected, token, asked.spec.adapters);
    EXPECT_EQ(seen, expected) << "a check does not see its candidate's text";
  }

  static uint64_t Expected(const Asked& asked, const Tokens& text) {
    uint64_t seen = 1;
    for (Token token : asked.prompt) seen = CellModel::See(seen, token, asked.spec.adapters);
    for (Token token : text) seen = CellModel::See(seen, token, asked.spec.adapters);
    return seen;
  }

  void Finish(const FinishedRequest& finished) {
    auto found = open_.find(finished.id);
    ASSERT_NE(found, open_.end()) << "request " << finished.id << " was answered twice";
    const Asked& asked = found->second;
    num_timeouts += finished.error_code == "ERR_TIMEOUT";
    num_full += finished.error_code == "ERR_CACHE_FULL";
    if (finished.error_code.empty()) CheckComplete(asked, finished.usage);
    if (finished.error_code.empty() && asked.spec.pin) prefixes_[finished.id] = {asked.prompt, asked.spec.adapters};
    open_.erase(found);
  }

  void CheckComplete(const Asked& asked, const Usage& usage) {
    ++num_finished;
    if (asked.spec.is_beam_search) {
      EXPECT_EQ(asked.num_rounds, asked.spec.max_tokens);
      EXPECT_EQ(usage.generated_tokens, asked.num_drawn);
      EXPECT_EQ(usage.evaluated_prompt_tokens + usage.cached_tokens, usage.prompt_tokens);
      return;
    }
    const int num_candidates = asked.spec.num_candidates + std::min(asked.num_rejected, asked.spec.max_refills);
    num_rejected += asked.num_rejected;
    ASSERT_EQ(static_cast<int>(asked.texts.size()), num_candidates);
    int drawn = 0;
    for (const auto& [candidate, text] : asked.texts) {
      EXPECT_TRUE(asked.has_ended.at(candidate));
      drawn += static_cast<int>(text.size());
    }
    EXPECT_EQ(usage.generated_tokens, drawn);
    // Every candidate is asked every question, once; what was preempted is counted apart.
    int num_bases = std::max(1, num_candidates) - asked.num_rejected, num_nodes = 0, num_check_nodes = 0;
    for (const auto& tree : asked.spec.questions) num_nodes += static_cast<int>(tree->nodes.size());
    for (const auto& tree : asked.spec.checks) num_check_nodes += static_cast<int>(tree->nodes.size());
    EXPECT_EQ(usage.question_tokens, num_bases * num_nodes + asked.num_checks * num_check_nodes);
    int last_tokens = usage.evaluated_prompt_tokens + usage.cached_tokens - usage.question_tokens - usage.prompt_tokens;
    EXPECT_GE(last_tokens, 0);
    EXPECT_LE(last_tokens, num_candidates);
  }

  void CheckBook() const {
    const KvCache& cache = scheduler_.cache();
    ASSERT_LE(cache.num_busy_cells(), cache.num_used_cells());
    ASSERT_LE(cache.num_used_cells(), cells_);
    ASSERT_LE(cache.num_used_sequences(), sequences_);
    ASSERT_LE(scheduler_.num_pinned_cells(), cache.num_busy_cells());
    ASSERT_GE(scheduler_.num_running() + scheduler_.num_waiting(), static_cast<int>(open_.size()));
  }

  // Book and cells agree, sequence by sequence; and a prompt finds what a search through all sequences finds.
  void CheckSequences() {
    StepPlan removals = scheduler_.Plan(now_);
    model_.Run(removals);
    for (const FinishedRequest& finished : scheduler_.TakeFinished()) Finish(finished);
    Restore(removals);
    std::vector<SampleOutcome> outcomes(removals.reads.size());
    for (size_t i = 0; i < removals.reads.size(); ++i) Read(removals.reads[i], &outcomes[i]);
    const KvCache& cache = scheduler_.cache();
    EXPECT_EQ(cache.num_used_cells(), model_.num_used());
    for (SequenceId id = 0; id < sequences_; ++id) {
      Span<const Token> book = cache.Tokens(id);
      EXPECT_EQ(std::vector<Token>(book.begin(), book.end()), model_.TokensOf(id));
    }
    scheduler_.Commit(removals, outcomes);
    for (const FinishedRequest& finished : scheduler_.TakeFinished()) Finish(finished);
  }

  std::mt19937 random_;
  int cells_, sequences_;
  SchedulerOptions options_;
  bool is_paced_;
  int num_sets_;  // Of adapters, none among them.
  Scheduler scheduler_;
  CellModel model_;
  TimeMs now_ = 0;
  RequestId next_ = 1;
  std::map<RequestId, Asked> open_;
  std::map<RequestId, Pinned> prefixes_;
  std::map<RequestId, uint64_t> saved_;
};

class SchedulerStorm : public testing::TestWithParam<unsigned> {};

// 25 × 4,000 = 100,000 operations.
TEST_P(SchedulerStorm, NothingIsLostStarvedOrWrong) {
  Storm storm(GetParam());
  for (int i = 0; i < 4000 && !HasFailure(); ++i) storm.Operate();
  storm.Drain();
  EXPECT_GT(storm.num_finished, 20);
  EXPECT_GT(storm.num_preemptions(), 0);
  EXPECT_GT(storm.num_rejected, 10);
  EXPECT_GT(storm.num_restored, 0);
  EXPECT_EQ(storm.num_held_steps() > 0, storm.is_paced());
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerStorm, testing::Range(0u, 25u));

}  // namespace
}  // namespace winnow
