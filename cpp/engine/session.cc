#include "engine/session.h"

#include <algorithm>
#include <utility>

#include "scorer/check_value.h"

namespace winnow {
namespace {

bool Contains(const std::vector<Token>& tokens, Token token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

}  // namespace

Session::Session(const Backend& backend, RequestId id, int candidate, const Request& request, const Asked& asked,
                 Span<const Token> prompt)
    : backend_(backend),
      request_(request),
      id_(id),
      candidate_(candidate),
      prompt_length_(static_cast<Position>(prompt.size())),
      sampler_(request.sampling, std::max(candidate, 0), prompt.size()),
      stops_(request.stops),
      end_tokens_(backend.info().end_tokens),
      checks_(asked.checks),
      nucleus_(request.sampling.top_p, request.sampling.nucleus_decay, request.sampling.nucleus_floor) {
  if (request.sampling.has_history()) history_.assign(prompt.begin(), prompt.end());
  for (const auto& question : asked.questions) questions_.emplace_back(question);
  end_tokens_.insert(end_tokens_.end(), request.stop_tokens.begin(), request.stop_tokens.end());
  if (request.rules) filter_ = std::make_unique<GrammarFilter>(request.rules, request.tokens, end_tokens_);
}

Span<const Token> Session::Banned() const {
  if (is_too_early()) return end_tokens_;
  return request_.ignore_eos ? Span<const Token>(backend_.info().end_tokens) : Span<const Token>();
}

SampleOutcome Session::Sample(Span<const float> logits, std::vector<Event>* events) {
  if (is_rejected_) {
    events->push_back(CandidateEvent{id_, candidate_, FinishReason::kRejected, {}, num_tokens_});
    return {0, Finish::kReject};
  }
  Sampled sampled = sampler_.Sample(logits, history_, prompt_length_ + num_tokens_, Banned(), filter_.get());
  ++num_tokens_;
  if (request_.sampling.has_history()) history_.push_back(sampled.token);
  FollowSentences(sampled.token);

  TokenEvent event = EventOf(sampled);
  End end = filter_ ? EndOfGrammar(sampled.token) : End{};
  if (end.finish == Finish::kNo) end = EndOf(sampled.token);
  std::string stop;
  if (end.finish != Finish::kDropToken) Show(sampled.token, &event, &end, &stop);
  if (end.finish != Finish::kNo && stop.empty()) event.text += HeldText();
  events->push_back(std::move(event));
  if (end.finish == Finish::kNo) return {sampled.token, end.finish, BeginChecks()};
  events->push_back(CandidateEvent{id_, candidate_, end.reason, stop, num_tokens_});
  if (end.finish == Finish::kDropToken) ScoreBase(logits, events);
  return {sampled.token, end.finish};
}

// An end token isn't part of the text, and nothing that is asked afterwards sees it.
Session::End Session::EndOf(Token token) const {
  if (!request_.ignore_eos && Contains(backend_.info().end_tokens, token)) {
    return {Finish::kDropToken, FinishReason::kEos};
  }
  if (Contains(request_.stop_tokens, token)) return {Finish::kDropToken, FinishReason::kStop};
  if (num_tokens_ >= request_.max_tokens) return {Finish::kKeepToken, FinishReason::kLength};
  return {};
}

// Nothing may follow a finished text. Where no token of the vocabulary goes on, or none within the limits of the
// recogniser, the drawn one does not count, and a text that isn't whole has been cut off.
Session::End Session::EndOfGrammar(Token token) {
  if (!filter_->Allows(token)) {
    return {Finish::kDropToken, filter_->is_complete() ? FinishReason::kStop : FinishReason::kLength};
  }
  if (Contains(end_tokens_, token)) return {};
  filter_->Accept(token);
  return filter_->is_finished() ? End{Finish::kKeepToken, FinishReason::kStop} : End{};
}

void Session::Show(Token token, TokenEvent* event, End* end, std::string* stop) {
  std::string text = text_.Push(backend_.TokenBytes(token, /*special=*/false));
  StopMatcher::Result shown = is_too_early() ? StopMatcher::Result{std::move(text), {}} : stops_.Push(text);
  event->text = std::move(shown.text);
  if (!shown.stop) return;
  *stop = request_.stops[*shown.stop];
  *end = {Finish::kKeepToken, FinishReason::kStop};
}

// The end of a text may be an incomplete character, or look like the beginning of a stop string.
std::string Session::HeldText() {
  std::string text = stops_.Push(text_.Finish()).text;
  return text + stops_.Finish();
}

TokenEvent Session::EventOf(const Sampled& sampled) const {
  TokenEvent event;
  event.request = id_;
  event.candidate = candidate_;
  event.token = sampled.token;
  event.has_logprob = request_.sampling.logprobs;
  event.logprob = sampled.logprob;
  for (const TokenLogprob& top : sampled.top) {
    TextStream text;
    std::string bytes = text.Push(backend_.TokenBytes(top.token, /*special=*/true)) + text.Finish();
    event.top.push_back({top.token, std::move(bytes), top.logprob});
  }
  return event;
}

// The row that drew the end token is the row behind the text: nothing has to be evaluated for it.
void Session::ScoreBase(Span<const float> logits, std::vector<Event>* events) {
  for (size_t i = 0; i < questions_.size(); ++i) {
    if (questions_[i].tree().reads_base) Score(static_cast<int>(i), /*node=*/-1, logits, events);
  }
}

void Session::FollowSentences(Token token) {
  const bool has_nucleus = request_.sampling.nucleus_decay < 1;
  if (!has_nucleus && (checks_.empty() || request_.checks.every > 0)) return;
  sentence_.Push(backend_.TokenBytes(token, /*special=*/false));
  if (!has_nucleus) return;
  nucleus_.Accept(sentence_.is_at_end());
  sampler_.set_top_p(nucleus_.top_p());
}

// Whether the checks are asked behind this token.
bool Session::BeginChecks() {
  if (checks_.empty()) return false;
  const int every = request_.checks.every;
  const bool is_due = every > 0 ? num_tokens_ % every == 0 : sentence_.has_just_ended();
  if (!is_due || num_tokens_ < request_.checks.after) return false;
  for (const auto& check : checks_) check_runs_.emplace_back(check);
  return true;
}

void Session::Check(int check, int node, Span<const float> logits, std::vector<Event>* events) {
  check_runs_[check].Read(node, logits);
  const bool is_complete =
      std::all_of(check_runs_.begin(), check_runs_.end(), [](const QuestionRun& run) { return run.is_complete(); });
  if (is_complete) Judge(events);
}

void Session::Judge(std::vector<Event>* events) {
  CheckEvent event{id_, candidate_, num_tokens_};
  const auto& checks = request_.checks.checks;
  std::vector<QuestionRun> runs = std::exchange(check_runs_, {});
  for (size_t i = 0; i < checks.size(); ++i) {
    event.values.push_back(ValueOf(checks[i], runs[i].TakeAnswer()));
    if (event.failed < 0 && !Passes(checks[i], event.values[i])) event.failed = static_cast<int>(i);
  }
  is_rejected_ = event.failed >= 0;
  events->push_back(std::move(event));
}

void Session::Score(int question, int node, Span<const float> logits, std::vector<Event>* events) {
  QuestionRun& run = questions_[question];
  run.Read(node, logits);
  if (run.is_complete()) events->push_back(ScoreEvent{id_, candidate_, question, run.TakeAnswer()});
}

}  // namespace winnow
