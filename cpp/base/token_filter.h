#pragma once

#include "base/span.h"
#include "base/types.h"

namespace winnow {

// Says which tokens may come next.
class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  virtual bool Allows(Token token) = 0;
  // Puts −infinity in place of the logits of all tokens that may not come. `logits`: one row, [vocabulary].
  virtual void Mask(Span<float> logits) = 0;
};

}  // namespace winnow
