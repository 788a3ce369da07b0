#include "sampler/filters.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace winnow {
namespace {

// A logit that every token of at least this weight reaches, however its weight was rounded.
float LogitOfWeight(double weight, float max, float scale) {
  constexpr double kSlack = 1e-3;  // Far above the rounding error of a weight's logarithm.
  const double logit = max + (std::log(weight) - kSlack) / scale;
  return std::nextafter(static_cast<float>(logit), -std::numeric_limits<float>::infinity());
}

// Tokens lighter than this weigh less than 1 − top_p of the row all together: top-p cuts above them.
double LightestOfNucleus(float top_p, const RowWeights& weights, size_t vocabulary_size) {
  return (1 - static_cast<double>(top_p)) * weights.total() / static_cast<double>(vocabulary_size);
}

}  // namespace

void Filter(const SamplingOptions& options, float scale, RowIndex* index, RowWeights* weights, Candidates* candidates) {
  const bool has_top_k = options.top_k > 0;
  const bool has_top_p = options.top_p < 1;
  const bool has_min_p = options.min_p > 0;
  const float min_weight = std::min(options.min_p, 1.0f);  // The likeliest token weighs 1.
  const auto top_k = static_cast<size_t>(std::max(options.top_k, 0));

  // What surely fails a filter isn't even collected. Top-p looks at all that top-k leaves: min-p must wait there.
  float threshold = std::numeric_limits<float>::lowest();
  const auto raise = [&](float logit) { threshold = std::max(threshold, logit); };
  if (has_top_k) raise(index->ThresholdFor(top_k));
  if (has_min_p && !(has_top_k && has_top_p)) raise(LogitOfWeight(min_weight, index->max(), scale));
  if (has_top_p && !has_top_k) {
    weights->Build(*index, scale);
    raise(LogitOfWeight(LightestOfNucleus(options.top_p, *weights, index->row().size()), index->max(), scale));
  }

  candidates->Collect(*index, threshold);
  if (has_top_k) candidates->KeepTop(top_k);
  candidates->ComputeWeights(index->max(), scale);
  if (has_top_p) candidates->KeepMass(options.top_p * (has_top_k ? candidates->TotalWeight() : weights->total()));
  if (has_min_p) candidates->KeepAtLeast(min_weight);
}

}  // namespace winnow
