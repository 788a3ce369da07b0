#pragma once

#include <vector>

#include "base/types.h"

namespace winnow {

// Tokens to evaluate behind one base sequence, as a tree: what a question costs (design, section 10).
// Nodes are in depth-first order, a parent before its children. A path is the way to a leaf of this tree; the paths
// through a node are the interval [first_path, first_path + num_paths), and one cell serves them all.
struct TokenTree {
  struct Node {
    Token token = 0;
    int parent = -1;  // -1 = the last token of the base sequence.
    int depth = 0;    // 0 for the children of the base: position = length of the base + depth.
    int first_path = 0;
    int num_paths = 1;
    bool wants_logits = false;  // The scorer reads the row behind this token.
  };

  std::vector<Node> nodes;
  int num_paths = 0;        // 0 when there is nothing to evaluate.
  bool reads_base = false;  // The scorer reads the row behind the base's own last token.
};

}  // namespace winnow
