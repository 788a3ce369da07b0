#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "engine/event.h"
#include "engine/request.h"
#include "grammar/grammar_filter.h"
#include "sampler/factual_nucleus.h"
#include "sampler/sampler.h"
#include "scheduler/request.h"
#include "scorer/question_run.h"
#include "text/sentence_tracker.h"
#include "text/stop_matcher.h"
#include "text/text_stream.h"

namespace winnow {

// What one candidate (or the prompt itself, when questions are asked on it) has become so far: its random stream, its
// text, its answers. Knows nothing of cells and steps.
class Session {
 public:
  using Finish = SampleOutcome::Finish;

  // Those of the request.
  using Questions = std::vector<std::shared_ptr<const CompiledQuestion>>;
  struct Asked {
    Questions questions;
    Questions checks;
  };

  // `candidate`: -1 = the prompt. `prompt`: copied only if penalties look at it.
  Session(const Backend& backend, RequestId id, int candidate, const Request& request, const Asked& asked,
          Span<const Token> prompt);

  // Draws the next token from the row behind the sequence and says what became of it; draws none if a check has failed.
  SampleOutcome Sample(Span<const float> logits, std::vector<Event>* events);
  // Reads a row for a question; emits the answer when it was the last one missing. `node`: -1 = the base's own row.
  void Score(int question, int node, Span<const float> logits, std::vector<Event>* events);
  // The same for a check; the last row of all of them decides. Sample comes afterwards.
  void Check(int check, int node, Span<const float> logits, std::vector<Event>* events);

 private:
  struct End {
    Finish finish = Finish::kNo;
    FinishReason reason = FinishReason::kLength;
  };

  End EndOf(Token token) const;
  End EndOfGrammar(Token token);
  bool is_too_early() const { return num_tokens_ < request_.min_tokens; }  // To end.
  Span<const Token> Banned() const;
  void Show(Token token, TokenEvent* event, End* end, std::string* stop);
  std::string HeldText();
  TokenEvent EventOf(const Sampled& sampled) const;
  void ScoreBase(Span<const float> logits, std::vector<Event>* events);
  bool BeginChecks();
  void FollowSentences(Token token);
  void Judge(std::vector<Event>* events);

  const Backend& backend_;
  const Request& request_;  // Owned by the engine, for as long as the session.
  RequestId id_;
  int candidate_;
  Position prompt_length_;
  Sampler sampler_;
  TextStream text_;
  StopMatcher stops_;
  std::vector<Token> history_;             // For penalties; empty without.
  std::vector<Token> end_tokens_;          // The model's, then the request's stop tokens.
  std::unique_ptr<GrammarFilter> filter_;  // Null without a grammar.
  std::vector<QuestionRun> questions_;
  Questions checks_;
  std::vector<QuestionRun> check_runs_;  // Of the checks at hand; empty between checks.
  FactualNucleus nucleus_;
  SentenceTracker sentence_;  // Followed only if somebody asks.
  bool is_rejected_ = false;
  int num_tokens_ = 0;
};

}  // namespace winnow
