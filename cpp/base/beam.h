#pragma once

#include "base/types.h"

namespace winnow {

struct BeamOptions {
  int num_beams = 0;  // 0 = no beam search.
  int max_tokens = 0;
  int min_tokens = 0;          // No end token before it.
  float length_penalty = 1;    // Scores are logprob ÷ tokens ^ this: 0 = the sum, 1 = the mean.
  bool early_stopping = true;  // Ends with as many finished texts as beams; false: when no running one can beat them.
};

// One beam of the next round: `parent` of this one, followed by `token`.
struct BeamStep {
  int parent = 0;
  Token token = 0;
};

}  // namespace winnow
