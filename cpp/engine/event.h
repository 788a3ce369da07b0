#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/question.h"
#include "base/types.h"
#include "base/usage.h"

namespace winnow {

enum class FinishReason { kEos, kStop, kLength, kRejected };

struct TopToken {
  Token token = 0;
  std::string text;
  float logprob = 0;
};

struct ProbeValue {
  std::string name;
  double value = 0;
};

// One drawn token. `text`: what can be shown now; empty while a character or a stop string is incomplete. A candidate's
// last token brings what was held back until then.
struct TokenEvent {
  RequestId request = kNoRequest;
  int candidate = 0;
  Token token = 0;
  std::string text;
  bool has_logprob = false;
  float logprob = 0;
  std::vector<TopToken> top;
  std::vector<ProbeValue> probes;  // Of the state that the token was drawn from; empty unless asked for.
};

struct CandidateEvent {
  RequestId request = kNoRequest;
  int candidate = 0;
  FinishReason reason = FinishReason::kLength;
  std::string stop;  // The stop string that was found; empty if none.
  int num_tokens = 0;
};

// The checks of a candidate have been answered.
struct CheckEvent {
  RequestId request = kNoRequest;
  int candidate = 0;
  int num_tokens = 0;          // Of its text when they were asked.
  int failed = -1;             // The first check that it did not pass: it ends here. -1 = it goes on.
  std::vector<double> values;  // [checks]
};

struct ScoreEvent {
  RequestId request = kNoRequest;
  int candidate = -1;  // -1 = on the prompt.
  int question = 0;
  Answer answer;
};

// A text as a vector: its embedding, or a classifier's scores of its classes.
struct VectorEvent {
  RequestId request = kNoRequest;
  int text = 0;
  std::vector<float> values;
};

// Milliseconds. Prefill, generate and score are the request's share of the steps' time, by rows.
struct RequestTimings {
  double queue = 0;
  double first_token = 0;  // 0 = there was none.
  double total = 0;
  double prefill = 0;
  double generate = 0;
  double score = 0;
};

// The last event of a request, unless it is an ErrorEvent.
struct FinishEvent {
  RequestId request = kNoRequest;
  Usage usage;
  RequestTimings timings;
};

struct ErrorEvent {
  RequestId request = kNoRequest;
  std::string code;
  std::string message;
  ErrorFacts facts;
};

using Event = std::variant<TokenEvent, CandidateEvent, CheckEvent, ScoreEvent, VectorEvent, FinishEvent, ErrorEvent>;

}  // namespace winnow
