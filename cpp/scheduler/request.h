#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/token_tree.h"
#include "base/types.h"
#include "base/usage.h"

namespace winnow {

// Shared with whoever reads the rows: one immutable tree per question.
using Questions = std::vector<std::shared_ptr<const TokenTree>>;

// What the scheduler knows of a request: tokens and counts, no text and no logits.
struct ScheduledRequest {
  RequestId id = kNoRequest;
  std::vector<Token> prompt;      // Follows the tokens of the parent; empty only with a parent.
  RequestId parent = kNoRequest;  // A pinned prefix.
  bool pin = false;               // Becomes a pinned prefix; then it has no candidates and no questions.
  int num_candidates = 0;         // 0 = the questions are asked on the prompt itself.
  int max_tokens = 0;             // Of each candidate.
  Questions questions;            // Asked behind every finished candidate.
};

struct SampleOutcome {
  enum class Finish { kNo, kKeepToken, kDropToken };
  Token token = 0;
  // kDropToken: the token ends the text and isn't part of it (an end-of-text token): nothing that is asked afterwards
  // sees it.
  Finish finish = Finish::kNo;
};

struct FinishedRequest {
  RequestId id = kNoRequest;
  Usage usage;
  std::string error_code;  // Empty = it went well.
  std::string error_message;
};

// Cells and sequence ids that something needs, or that are promised to it.
struct Resources {
  int cells = 0;
  int sequences = 0;

  bool Covers(const Resources& need) const { return cells >= need.cells && sequences >= need.sequences; }
  Resources operator+(const Resources& other) const { return {cells + other.cells, sequences + other.sequences}; }
  Resources operator-(const Resources& other) const { return {cells - other.cells, sequences - other.sequences}; }
};

// One question being evaluated: each path of its tree is a fork of the base.
struct Branch {
  int question = 0;
  int base_length = 0;  // Length of the base when the paths were forked, its last token included.
  std::vector<SequenceId> paths;
  int next_node = 0;  // Nodes before it are in the cache or in the plan at hand.
};

// What questions hang on: a candidate, or the prompt itself.
struct Base {
  enum class State { kWaiting, kDecoding, kScoring, kDone };

  int candidate = -1;  // -1 = the prompt.
  State state = State::kWaiting;
  SequenceId sequence = kNoSequence;
  bool owns_sequence = true;     // False: a pinned prefix's, not to be retired.
  std::optional<Token> pending;  // Sampled, not in the cache yet.
  bool is_finished = false;      // Nothing more is sampled.
  bool wants_base_row = false;   // A question reads the row behind the last token, and nobody has read it yet.
  int next_question = 0;
  std::vector<Branch> branches;
  Resources reserved;  // Promised to it and not used yet.
};

struct Prefix {
  RequestId id = kNoRequest;
  SequenceId sequence = kNoSequence;
  std::vector<Token> tokens;
  int num_users = 0;       // Requests that run on it.
  bool is_closed = false;  // Goes with its last user.
};

struct RunningRequest {
  ScheduledRequest spec;
  std::vector<Token> tokens;  // Parent's and own: the whole prompt.
  Prefix* parent = nullptr;
  SequenceId sequence = kNoSequence;  // Of the prompt; none when the prompt is the parent itself.
  bool needs_last_row = false;        // Somebody reads the row behind the prompt.
  bool reads_base = false;            // A question does, behind the base that it is asked on.
  bool prompt_is_done = false;
  bool has_ended = false;
  std::vector<std::unique_ptr<Base>> bases;
  int num_bases_done = 0;
  Resources question_need;       // Of the largest question.
  Resources base_need;           // Of one candidate, or of the questions on the prompt.
  Resources reserved;            // For the rest of the prompt and the next base.
  bool holds_base_need = false;  // `reserved` has room for one base, so that a waiting candidate can surely start.
  Usage usage;
};

}  // namespace winnow
