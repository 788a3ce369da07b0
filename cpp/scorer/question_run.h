#pragma once

#include <vector>

#include "base/question.h"
#include "base/span.h"
#include "base/token_tree.h"
#include "base/types.h"

namespace winnow {

// One question being answered: the labels form a trie whose inner nodes are evaluated once each (a label of one token
// costs nothing beyond the suffix), and each row that comes back is read for all labels that pass through it.
class QuestionRun {
 public:
  explicit QuestionRun(Question question);

  // What must be evaluated. The suffix is its first nodes, a chain.
  const TokenTree& tree() const { return tree_; }

  // `node`: index into tree().nodes, -1 = the base's own last row. `logits`: the row behind it, [vocabulary].
  // Each row that the tree wants is given exactly once, in any order.
  void Read(int node, Span<const float> logits);
  bool is_complete() const { return num_rows_missing_ == 0; }

  // Precondition: is_complete().
  Answer TakeAnswer();

 private:
  // Tokens read off one row: label `label` has `token` at index `index`.
  struct Target {
    int label;
    int index;
    Token token;
  };

  // `path`: the trie's entries behind which the label's tokens are read; `nodes`: the node of each entry.
  void AddLabel(const std::vector<Token>& label, const std::vector<int>& path, const std::vector<int>& nodes);

  void ReadTop(const std::vector<Target>& targets, Span<const float> logits);

  size_t num_top_;  // Likeliest tokens to read at each place.
  TokenTree tree_;
  std::vector<std::vector<Target>> targets_;  // [nodes + 1]; entry n + 1 belongs to node n.
  Answer answer_;
  int num_rows_missing_ = 0;
};

}  // namespace winnow
