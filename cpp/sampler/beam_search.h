#pragma once

#include <vector>

#include "base/beam.h"
#include "base/sampling.h"
#include "base/span.h"
#include "base/types.h"

namespace winnow {

// A text of a beam search, running or finished.
struct Hypothesis {
  std::vector<Token> tokens;    // The end token included.
  std::vector<float> logprobs;  // [tokens]
  double logprob = 0;           // Their sum.
  double score = 0;             // logprob ÷ tokens ^ length_penalty; of finished ones.
  bool has_end = false;         // The last token ended it; else the room did.
};

// Keeps the `num_beams` likeliest texts of each length, going by all rows of a round at once. In the order of their
// log-probabilities, continuations by an end token are finished texts, until `num_beams` others have been found; of the
// finished ones the `num_beams` with the best scores are kept. Log-probabilities are the model's own: tokens that may
// not come (n-grams, end tokens before their time) are left out, and nothing is renormalised, as in ParlAI's search,
// which BlenderBot 3 uses (arXiv 2208.03188).
class BeamSearch {
 public:
  // `end_tokens`: they finish a text. `banned`: never come. Of `sampling`, n-gram penalties and logit bias count.
  BeamSearch(SamplingOptions sampling, BeamOptions options, Span<const Token> prompt, std::vector<Token> end_tokens,
             std::vector<Token> banned);

  // The row behind beam `beam`, or behind the prompt in the first round, when there is only beam 0. Each beam once a
  // round, in any order. Returns whether it was the last.
  bool Read(int beam, Span<const float> logits);

  // Precondition: all have been read. Returns the beams of the next round; none = the search has ended.
  std::vector<BeamStep> Advance();

  // The best first; of equal scores, the one that was found first. After the end. Empty where no token could come.
  const std::vector<Hypothesis>& finished() const { return finished_; }

 private:
  struct Continuation {
    int parent;
    Token token;
    float logprob;
    double total;
  };

  bool IsEnd(Token token) const;
  Span<const Token> Banned() const;
  Hypothesis Extend(const Continuation& continuation) const;
  void Finish(Hypothesis hypothesis);
  bool IsDecided() const;
  double BestAttainable() const;
  double ScoreOf(double logprob, int num_tokens) const;

  SamplingOptions sampling_;
  BeamOptions options_;
  std::vector<Token> prompt_;
  std::vector<Token> end_tokens_;
  std::vector<Token> banned_;
  std::vector<Token> banned_early_;  // Before min_tokens.
  int num_tokens_ = 0;               // Of each running text.
  int num_read_ = 0;
  std::vector<Hypothesis> beams_;            // Running.
  std::vector<Continuation> continuations_;  // Of the beams that have been read.
  std::vector<Hypothesis> finished_;
};

}  // namespace winnow
