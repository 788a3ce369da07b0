#pragma once

#include <memory>
#include <vector>

#include "base/question.h"
#include "base/span.h"
#include "base/token_tree.h"
#include "base/types.h"

namespace winnow {

// A question made ready, once for all candidates that it is asked of: the labels form a trie whose inner nodes are
// evaluated once each (a label of one token costs nothing beyond the suffix), and each row that comes back is read for
// all labels that pass through it. Immutable.
class CompiledQuestion {
 public:
  // A token read off one row: label `label` has `token` at index `index`.
  struct Target {
    int label;
    int index;
    Token token;
  };

  explicit CompiledQuestion(const Question& question);

  // What must be evaluated. The suffix is its first nodes, a chain.
  const TokenTree& tree() const { return tree_; }
  // `node`: index into tree().nodes, -1 = the base's own last row. Empty where nobody reads the row.
  const std::vector<Target>& TargetsOf(int node) const { return targets_[node + 1]; }
  int num_rows() const { return num_rows_; }   // That are read.
  size_t num_top() const { return num_top_; }  // Likeliest tokens to read at each place.
  // As many labels and tokens as the question has, nothing read yet.
  Answer EmptyAnswer() const;

 private:
  // `path`: the trie's entries behind which the label's tokens are read; `nodes`: the node of each entry.
  void AddLabel(const std::vector<Token>& label, const std::vector<int>& path, const std::vector<int>& nodes);

  size_t num_top_;
  TokenTree tree_;
  std::vector<std::vector<Target>> targets_;  // [nodes + 1]; entry n + 1 belongs to node n.
  std::vector<int> label_lengths_;
  int num_rows_ = 0;
};

// One question being answered on one candidate.
class QuestionRun {
 public:
  explicit QuestionRun(std::shared_ptr<const CompiledQuestion> question);
  explicit QuestionRun(const Question& question) : QuestionRun(std::make_shared<CompiledQuestion>(question)) {}

  const TokenTree& tree() const { return question_->tree(); }

  // `node`: as in CompiledQuestion. `logits`: the row behind it, [vocabulary]. Each row that the tree wants is given
  // exactly once, in any order.
  void Read(int node, Span<const float> logits);
  bool is_complete() const { return num_rows_missing_ == 0; }

  // Precondition: is_complete().
  Answer TakeAnswer();

 private:
  void ReadTop(const std::vector<CompiledQuestion::Target>& targets, Span<const float> logits);

  std::shared_ptr<const CompiledQuestion> question_;
  Answer answer_;
  int num_rows_missing_;
};

}  // namespace winnow
