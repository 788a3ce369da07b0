#pragma once

#include <vector>

#include "base/types.h"

namespace winnow {

// How the states of a text's tokens become one vector.
enum class Pooling { kMean, kCls, kLast };

// A text to encode, or the next piece of one: rows [first_row, first_row + num_rows) of the plan.
struct EncodeItem {
  RequestId request = kNoRequest;
  int text = 0;             // Index among the request's texts.
  SequenceId sequence = 0;  // No two items of a step share it; a text's pieces do.
  Position begin = 0;       // Position of its first row; 0 = the text begins here.
  int first_row = 0;
  int num_rows = 0;
  bool is_last = true;  // The text ends here.
};

// One step of an encoder: data in, data out. Texts don't see each other.
struct EncodePlan {
  std::vector<Token> tokens;
  std::vector<EncodeItem> items;

  bool empty() const { return items.empty(); }
};

}  // namespace winnow
