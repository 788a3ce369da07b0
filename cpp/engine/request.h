#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/beam.h"
#include "base/check.h"
#include "base/encode_plan.h"
#include "base/probe.h"
#include "base/question.h"
#include "base/sampling.h"
#include "base/saved_prefix.h"
#include "base/types.h"

namespace winnow {

class Grammar;
class TokenTable;

// A low-rank adapter by the path of its file; loaded with the first request that names it.
struct RequestAdapter {
  std::string path;
  float scale = 1;  // 0 = off.
};

// One call down. The prompt follows the tokens of `parent`; then `num_candidates` answers are generated, and every
// question is asked behind each finished one (behind the prompt where there are none).
struct Request {
  std::vector<Token> prompt;      // Empty only with a parent.
  RequestId parent = kNoRequest;  // A pinned prefix.
  bool pin = false;  // Stays in the cache under the request's id until Release; no candidates, no questions.
  std::shared_ptr<const SavedPrefix> saved;  // With pin and without parent: restored instead of evaluated.
  int num_candidates = 0;
  int max_tokens = 0;       // Of each candidate; what the context has no room for is cut off.
  int min_tokens = 0;       // Before it no end-of-text or stop token is drawn, and no stop string ends the text.
  bool ignore_eos = false;  // End-of-text tokens are never drawn.
  SamplingOptions sampling;
  std::vector<std::pair<std::string, float>> text_bias;  // Resolved to token and sequence biases by the engine.
  std::vector<std::string> stops;                        // Strings; none is empty.
  std::vector<Token> stop_tokens;
  std::vector<Question> questions;
  BeamOptions beam;        // With beams, as many candidates; no questions, checks, grammar or stop strings.
  CheckPlan checks;        // Asked of candidates while they are generated; needs candidates.
  int64_t timeout_ms = 0;  // From Submit; then the request ends with ERR_TIMEOUT. 0 = none.
  double priority = 0;     // Higher first.
  std::string space;       // Namespace: cells are shared only within it. Ignored with a parent, whose namespace it has.
  std::vector<RequestAdapter> adapters;      // Ignored with a parent, whose adapters it has.
  std::string grammar;                       // GBNF that every answer keeps to; empty = none.
  std::shared_ptr<const Grammar> rules;      // Read from it by the engine.
  std::shared_ptr<const TokenTable> tokens;  // Of the vocabulary; with `rules`.
  std::vector<Probe> probes;                 // Read at every row that a token is drawn from.
  std::vector<std::vector<Token>> texts;  // To encode, none empty; then there is no prompt, and nothing is generated.
  Pooling pooling = Pooling::kMean;       // Of the texts; a classifier has its own.
  bool normalize = false;                 // Vectors to length 1.
};

}  // namespace winnow
