#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/adapter.h"
#include "base/beam.h"
#include "base/error.h"
#include "base/token_tree.h"
#include "base/types.h"
#include "base/usage.h"
#include "scheduler/rank.h"

namespace winnow {

// Shared with whoever reads the rows: one immutable tree per question.
using Questions = std::vector<std::shared_ptr<const TokenTree>>;

// What the scheduler knows of a request: tokens and counts, no text and no logits.
struct ScheduledRequest {
  RequestId id = kNoRequest;
  std::vector<Token> prompt;      // Follows the tokens of the parent; empty only with a parent.
  RequestId parent = kNoRequest;  // A pinned prefix.
  std::vector<Token> source;      // Of an encoder–decoder model: what its sequences attend to besides themselves.
  bool pin = false;               // Becomes a pinned prefix; then it has no candidates and no questions.
  bool is_saved = false;          // With pin: its cells are restored, all in one step, and not evaluated.
  int num_candidates = 0;         // 0 = the questions are asked on the prompt itself.
  int max_tokens = 0;             // Of each candidate.
  Questions questions;            // Asked behind every finished candidate.
  Questions checks;               // Asked of a candidate before it goes on, all in one step, where it wants them.
  bool is_beam_search = false;    // The candidates are beams: all advance together.
  int max_refills = 0;  // Candidates that may begin in the place of rejected ones; they have the next numbers.
  std::string space;    // Its namespace: cells are shared only within it. With a parent: the parent's.
  AdapterSet adapters;  // What it is computed with: cells are shared only within it. With a parent: the parent's.
  double priority = 0;  // Higher first.
  TimeMs submitted = 0;
  TimeMs deadline = kNever;  // From then on it fails with ERR_TIMEOUT.
};

struct SampleOutcome {
  // kReject: a check has stopped the candidate; no token was drawn and nothing is asked of it.
  enum class Finish { kNo, kKeepToken, kDropToken, kReject };
  Token token = 0;
  // kDropToken: the token ends the text and isn't part of it (an end-of-text token): nothing that is asked afterwards
  // sees it.
  Finish finish = Finish::kNo;
  bool wants_check = false;  // The checks are asked before the next token is drawn.
  // Of a beam search: with the last row of a round, the beams of the next; none = it has ended.
  std::vector<BeamStep> beams;
};

struct FinishedRequest {
  RequestId id = kNoRequest;
  Usage usage;
  std::string error_code;  // Empty = it went well.
  std::string error_message;
  ErrorFacts error_facts;
};

// Cells and sequence ids that something needs, or that are promised to it.
struct Resources {
  int cells = 0;
  int sequences = 0;

  bool Covers(const Resources& need) const { return cells >= need.cells && sequences >= need.sequences; }
  Resources operator+(const Resources& other) const { return {cells + other.cells, sequences + other.sequences}; }
  Resources operator-(const Resources& other) const { return {cells - other.cells, sequences - other.sequences}; }
};

inline Resources LargerOf(const Resources& a, const Resources& b) {
  return {std::max(a.cells, b.cells), std::max(a.sequences, b.sequences)};
}

// One question being evaluated: each path of its tree is a fork of the base. Without paths: it was preempted.
struct Branch {
  int question = 0;
  int base_length = 0;  // Length of the base when the paths were forked, its last token included.
  std::vector<SequenceId> paths;
  int next_node = 0;      // Nodes before it are in the cache or in the plan at hand.
  int num_evaluated = 0;  // Nodes whose rows have been read, before a preemption too.
};

// What questions hang on: a candidate, or the prompt itself. All it holds of the cache can be taken from it at any time
// between two steps; its tokens stay, and what of them isn't in the cache is evaluated again.
struct Base {
  enum class State { kWaiting, kDecoding, kScoring, kDone };

  int candidate = -1;  // -1 = the prompt.
  State state = State::kWaiting;
  SequenceId sequence = kNoSequence;
  bool owns_sequence = true;            // False: a pinned prefix's, not to be retired.
  std::vector<Token> generated;         // Part of its text, behind the prompt.
  int num_evaluated = 0;                // Tokens of prompt and text that have been in the cache.
  bool is_finished = false;             // Nothing more is sampled.
  bool wants_base_row = false;          // A question reads the row behind the last token, and nobody has read it yet.
  bool wants_check = false;             // In the step of its last token.
  std::vector<SequenceId> check_paths;  // Forks that the checks of the step at hand run on.
  int next_question = 0;                // Those before it have begun.
  std::vector<Branch> branches;         // Begun and not ended.
  Resources reserved;                   // For the questions that have begun, and for the next one where none has.
  int allotted = 0;                     // Rows that the step at hand may evaluate of prompt and text.
  bool awaits_round = false;            // A beam whose row has been read: it goes on when all have been.
  bool has_heir = false;                // A beam of the next round has its sequence.
  int64_t last_step = 0;                // When it last drew a token.
  double last_token_ms = 0;             // The same on the caller's clock.
};

struct Prefix {
  RequestId id = kNoRequest;
  SequenceId sequence = kNoSequence;
  std::string space;
  AdapterSet adapters;
  std::vector<Token> tokens;
  int num_users = 0;       // Requests that run on it.
  bool is_closed = false;  // Goes with its last user.
};

struct Space;
struct AdapterGroup;

struct OpenRequest {
  enum class State { kWaiting, kFollowing, kRunning, kEnded };

  ScheduledRequest spec;
  State state = State::kWaiting;
  Rank rank;
  Space* space = nullptr;
  AdapterGroup* group = nullptr;
  std::string cache_space;    // Whose cells it may share: those of its namespace that were computed with its adapters.
  std::vector<Token> tokens;  // Parent's and own: the whole prompt.
  Prefix* parent = nullptr;
  SequenceId sequence = kNoSequence;  // Of the prompt; none when the prompt is the parent itself, or while preempted.
  int num_evaluated = 0;              // Tokens of the prompt that have been in the cache.
  int allotted = 0;                   // Rows that the step at hand may evaluate of the prompt.
  bool has_begun = false;             // To evaluate its prompt, before a preemption too.
  bool needs_last_row = false;        // Somebody reads the row behind the prompt.
  bool reads_base = false;            // A question does, behind the base that it is asked on.
  bool prompt_is_done = false;
  RequestId leader = kNoRequest;  // kFollowing: who evaluates the first `leader_length` tokens for it.
  int leader_length = 0;
  bool is_followed = false;
  RequestId pinned = kNoRequest;  // A prefix whose first `pinned_length` tokens it must share to fit.
  int pinned_length = 0;
  std::vector<std::unique_ptr<Base>> bases;
  int num_bases_done = 0;
  int num_refills = 0;
  bool search_is_done = false;  // Of a beam search.
  Resources question_need;      // Of the largest question, or of all checks together.
  Resources check_need;         // Of all checks together.
  int num_check_reads = 0;      // Rows that they read in a step, the last token's not counted.
  Resources floor;              // What it can't do without, alone in the cache beside pinned prefixes.
  Usage usage;
};

// A request on a pinned prefix alone has nothing to evaluate; a pin of its own always gets its own sequence.
inline bool HasOwnPrompt(const OpenRequest& request) { return !request.spec.prompt.empty() || request.spec.pin; }

inline int KnownLength(const OpenRequest& request, const Base& base) {
  return static_cast<int>(request.tokens.size() + base.generated.size());
}

// Of what has begun in the place of a rejected candidate: the row behind the prompt has to be evaluated again.
inline bool DrawsBehindPrompt(const Base& base) { return base.generated.empty() && !base.is_finished; }

inline Token TokenAt(const OpenRequest& request, const Base& base, Position position) {
  const auto prompt_length = static_cast<Position>(request.tokens.size());
  return position < prompt_length ? request.tokens[position] : base.generated[position - prompt_length];
}

}  // namespace winnow
