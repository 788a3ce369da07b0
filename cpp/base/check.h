#pragma once

#include <limits>
#include <vector>

#include "base/question.h"

namespace winnow {

// A question that a candidate must keep on passing while it is generated. Its value is Σ weights · softmax(scales ·
// logprob + offsets) over the labels: P(yes), an expected level, or the probability of one label, after normalisation
// and calibration.
struct Check {
  Question question;
  std::vector<double> scales;                               // [labels]
  std::vector<double> offsets;                              // [labels]
  std::vector<double> weights;                              // [labels]
  double least = -std::numeric_limits<double>::infinity();  // The candidate passes from here
  double most = std::numeric_limits<double>::infinity();    // to here.
};

// When which checks are asked, and what becomes of a candidate that fails one.
struct CheckPlan {
  std::vector<Check> checks;  // All are asked together; none = off.
  int every = 0;              // Tokens of the text; 0 = where a sentence ends.
  int after = 0;              // Not before the text has this many tokens.
  int max_refills = 0;        // New candidates that may take the place of stopped ones; 0 = none.

  bool empty() const { return checks.empty(); }
};

}  // namespace winnow
