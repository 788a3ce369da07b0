#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "engine/event.h"
#include "engine/request.h"
#include "sampler/beam_search.h"
#include "scheduler/request.h"

namespace winnow {

// The beam search of one request: rows in, beams out, and at its end the finished texts as candidates, the best first.
class BeamSession {
 public:
  BeamSession(const Backend& backend, RequestId id, const Request& request, Span<const Token> prompt);

  // The row behind beam `beam`. The outcome has the beams of the next round with the last row of this one.
  SampleOutcome Read(int beam, Span<const float> logits, std::vector<Event>* events);

 private:
  void Show(int candidate, const Hypothesis& hypothesis, std::vector<Event>* events) const;
  FinishReason ReasonOf(const Hypothesis& hypothesis) const;

  const Backend& backend_;
  const Request& request_;
  RequestId id_;
  BeamSearch search_;
};

}  // namespace winnow
