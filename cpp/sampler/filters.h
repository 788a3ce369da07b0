#pragma once

#include "base/sampling.h"
#include "sampler/candidates.h"
#include "sampler/row_index.h"
#include "sampler/row_weights.h"

namespace winnow {

inline bool HasFilters(const SamplingOptions& options) {
  return options.top_k > 0 || options.top_p < 1 || options.min_p > 0;
}

// Fills `candidates` with the tokens that pass top-k, then top-p (Holtzman et al., arXiv 1904.09751; of what top-k
// left), then min-p (Nguyen et al., arXiv 2407.01082), and with their weights exp((logit − max) · scale). The likeliest
// token always passes, the lowest ids win ties. Builds `weights` where a share of the whole row is asked for.
// Precondition: the row's maximum is finite and no logit is NaN.
void Filter(const SamplingOptions& options, float scale, RowIndex* index, RowWeights* weights, Candidates* candidates);

}  // namespace winnow
