#include "engine/beam_session.h"

#include <algorithm>
#include <utility>

#include "text/text_stream.h"

namespace winnow {
namespace {

std::vector<Token> EndTokens(const Backend& backend, const Request& request) {
  std::vector<Token> tokens = request.stop_tokens;
  const std::vector<Token>& ends = backend.info().end_tokens;
  if (!request.ignore_eos) tokens.insert(tokens.end(), ends.begin(), ends.end());
  return tokens;
}

BeamOptions OptionsOf(const Request& request) {
  BeamOptions options = request.beam;
  options.max_tokens = request.max_tokens;
  options.min_tokens = request.min_tokens;
  return options;
}

}  // namespace

BeamSession::BeamSession(const Backend& backend, RequestId id, const Request& request, Span<const Token> prompt)
    : backend_(backend),
      request_(request),
      id_(id),
      search_(request.sampling, OptionsOf(request), prompt, EndTokens(backend, request),
              request.ignore_eos ? backend.info().end_tokens : std::vector<Token>()) {}

SampleOutcome BeamSession::Read(int beam, Span<const float> logits, std::vector<Event>* events) {
  SampleOutcome outcome;
  if (!search_.Read(beam, logits)) return outcome;
  outcome.beams = search_.Advance();
  if (!outcome.beams.empty()) return outcome;
  outcome.finish = SampleOutcome::Finish::kKeepToken;
  const std::vector<Hypothesis>& finished = search_.finished();
  for (size_t i = 0; i < finished.size(); ++i) Show(static_cast<int>(i), finished[i], events);
  if (finished.empty()) Show(0, {}, events);
  return outcome;
}

void BeamSession::Show(int candidate, const Hypothesis& hypothesis, std::vector<Event>* events) const {
  TextStream text;
  const size_t num_tokens = hypothesis.tokens.size();
  for (size_t i = 0; i < num_tokens; ++i) {
    TokenEvent event;
    event.request = id_;
    event.candidate = candidate;
    event.token = hypothesis.tokens[i];
    event.has_logprob = true;
    event.logprob = hypothesis.logprobs[i];
    const bool is_end = hypothesis.has_end && i + 1 == num_tokens;
    if (!is_end) event.text = text.Push(backend_.TokenBytes(event.token, /*special=*/false));
    if (i + 1 == num_tokens) event.text += text.Finish();
    events->push_back(std::move(event));
  }
  events->push_back(CandidateEvent{id_, candidate, ReasonOf(hypothesis), {}, static_cast<int>(num_tokens)});
}

FinishReason BeamSession::ReasonOf(const Hypothesis& hypothesis) const {
  if (!hypothesis.has_end) return FinishReason::kLength;
  const auto& stops = request_.stop_tokens;
  const bool is_stop = std::find(stops.begin(), stops.end(), hypothesis.tokens.back()) != stops.end();
  return is_stop ? FinishReason::kStop : FinishReason::kEos;
}

}  // namespace winnow
