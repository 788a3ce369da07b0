#pragma once

namespace winnow {

// Tokens that a request caused to be evaluated, and what it found in the cache.
struct Usage {
  int prompt_tokens = 0;            // With the parent's.
  int cached_tokens = 0;            // Of these, found in the cache.
  int evaluated_prompt_tokens = 0;  // Prompt, last tokens of candidates that questions follow, questions.
  int question_tokens = 0;          // Of these, for questions alone.
  int generated_tokens = 0;
  int recomputed_tokens = 0;  // Evaluated again after a preemption; none of the counts above has them.
};

}  // namespace winnow
