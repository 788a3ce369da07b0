#pragma once

#include "base/check.h"
#include "base/question.h"

namespace winnow {

// What the check's labels come to (Check says how). Log-probabilities below −10^6 count as −10^6, so that labels that
// are all impossible are equally so.
double ValueOf(const Check& check, const Answer& answer);

// NaN does not pass.
inline bool Passes(const Check& check, double value) { return value >= check.least && value <= check.most; }

}  // namespace winnow
