#pragma once

#include <algorithm>
#include <cmath>

namespace winnow {

// Top-p that shrinks within a sentence: its end is more often made up than its beginning. p_t = max(ω, p · λ^max(0, t −
// 1)), where t counts the tokens that the sentence has before the one to draw; it begins anew behind . ? ! (Lee et al.,
// arXiv 2206.04624, section 4.1; with the counting of BlenderBot 3, arXiv 2208.03188).
class FactualNucleus {
 public:
  // `decay`: λ, above 0 to 1; 1 = p stays. `floor`: ω, not above p.
  FactualNucleus(float top_p, float decay, float floor) : top_p_(top_p), decay_(decay), floor_(floor) {}

  float top_p() const {
    const float shrunk = top_p_ * std::pow(decay_, static_cast<float>(std::max(0, num_tokens_ - 1)));
    return std::max(std::min(floor_, top_p_), shrunk);
  }

  // A token has been drawn.
  void Accept(bool ends_sentence) { num_tokens_ = ends_sentence ? 0 : num_tokens_ + 1; }

 private:
  float top_p_;
  float decay_;
  float floor_;
  int num_tokens_ = 0;  // Of the sentence.
};

}  // namespace winnow
