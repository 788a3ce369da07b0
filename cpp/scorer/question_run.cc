#include "scorer/question_run.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <numeric>
#include <utility>

#include "scorer/row_readout.h"

namespace winnow {
namespace {

using Tokens = std::vector<Token>;

// The beginnings of labels that some label continues: what must be evaluated. Entry 0 is the empty beginning.
struct LabelTrie {
  struct Entry {
    Token token = 0;
    std::vector<int> children;  // In the order in which the labels brought them up.
  };
  std::vector<Entry> entries{1};
  std::vector<std::vector<int>> paths;  // [labels]: the entries behind which its tokens are read, one per token.
};

LabelTrie MakeTrie(const std::vector<Tokens>& labels) {
  LabelTrie trie;
  std::map<std::pair<int, Token>, int> child_of;
  for (const Tokens& label : labels) {
    std::vector<int>& path = trie.paths.emplace_back();
    int entry = 0;
    for (size_t i = 0; i < label.size(); ++i) {
      path.push_back(entry);
      if (i + 1 == label.size()) break;  // The last token is read, not evaluated.
      const auto [child, is_new] = child_of.try_emplace({entry, label[i]}, static_cast<int>(trie.entries.size()));
      if (is_new) {
        trie.entries[entry].children.push_back(child->second);
        trie.entries.push_back({label[i], {}});
      }
      entry = child->second;
    }
  }
  return trie;
}

int AddNode(TokenTree& tree, Token token, int parent) {
  TokenTree::Node node;
  node.token = token;
  node.parent = parent;
  node.depth = parent < 0 ? 0 : tree.nodes[parent].depth + 1;
  node.num_paths = 0;  // Counted by NumberPaths.
  tree.nodes.push_back(node);
  return static_cast<int>(tree.nodes.size()) - 1;
}

int AddChain(TokenTree& tree, const Tokens& tokens) {
  int last = -1;
  for (Token token : tokens) last = AddNode(tree, token, last);
  return last;
}

// Adds the trie below node `root`, depth first. Returns the node of each entry.
std::vector<int> AddTrie(TokenTree& tree, const LabelTrie& trie, int root) {
  struct Visit {
    int entry;
    int parent;
  };
  std::vector<int> nodes(trie.entries.size(), root);
  std::vector<Visit> stack;  // Instead of recursion: continuations may have thousands of tokens.
  const auto push_children = [&](int entry) {
    const std::vector<int>& children = trie.entries[entry].children;
    for (auto child = children.rbegin(); child != children.rend(); ++child) stack.push_back({*child, nodes[entry]});
  };
  push_children(0);
  while (!stack.empty()) {
    const Visit visit = stack.back();
    stack.pop_back();
    nodes[visit.entry] = AddNode(tree, trie.entries[visit.entry].token, visit.parent);
    push_children(visit.entry);
  }
  return nodes;
}

// Depth-first order makes the leaves below a node consecutive.
void NumberPaths(TokenTree& tree) {
  for (size_t i = 0; i < tree.nodes.size(); ++i) {
    tree.nodes[i].first_path = tree.num_paths;
    const bool is_leaf = i + 1 == tree.nodes.size() || tree.nodes[i + 1].depth <= tree.nodes[i].depth;
    if (is_leaf) tree.nodes[i].num_paths = 1;
    if (is_leaf) ++tree.num_paths;
  }
  for (size_t i = tree.nodes.size(); i-- > 0;) {
    const TokenTree::Node& node = tree.nodes[i];
    if (node.parent >= 0) tree.nodes[node.parent].num_paths += node.num_paths;
  }
}

}  // namespace

CompiledQuestion::CompiledQuestion(const Question& question)
    : num_top_(static_cast<size_t>(std::max(0, question.top_logprobs))) {
  const LabelTrie trie = MakeTrie(question.labels);
  const int root = AddChain(tree_, question.suffix);
  const std::vector<int> nodes = AddTrie(tree_, trie, root);
  NumberPaths(tree_);
  targets_.resize(tree_.nodes.size() + 1);
  for (size_t i = 0; i < question.labels.size(); ++i) AddLabel(question.labels[i], trie.paths[i], nodes);
  tree_.reads_base = !targets_[0].empty();
  for (size_t i = 0; i < tree_.nodes.size(); ++i) tree_.nodes[i].wants_logits = !targets_[i + 1].empty();
  for (const std::vector<Target>& targets : targets_) num_rows_ += !targets.empty();
}

void CompiledQuestion::AddLabel(const Tokens& label, const std::vector<int>& path, const std::vector<int>& nodes) {
  const int index = static_cast<int>(label_lengths_.size());
  for (size_t i = 0; i < label.size(); ++i) {
    targets_[nodes[path[i]] + 1].push_back({index, static_cast<int>(i), label[i]});
  }
  label_lengths_.push_back(static_cast<int>(label.size()));
}

Answer CompiledQuestion::EmptyAnswer() const {
  Answer answer;
  for (int length : label_lengths_) answer.labels.emplace_back().token_logprobs.resize(length);
  return answer;
}

QuestionRun::QuestionRun(std::shared_ptr<const CompiledQuestion> question)
    : question_(std::move(question)), answer_(question_->EmptyAnswer()), num_rows_missing_(question_->num_rows()) {}

void QuestionRun::Read(int node, Span<const float> logits) {
  const std::vector<CompiledQuestion::Target>& targets = question_->TargetsOf(node);
  assert(!targets.empty() && "only rows that the tree wants are read");
  Tokens tokens(targets.size());
  std::transform(targets.begin(), targets.end(), tokens.begin(), [](const auto& target) { return target.token; });
  const std::vector<RowReadout> readouts = ReadRow(logits, tokens);
  for (size_t i = 0; i < targets.size(); ++i) {
    LabelScore& label = answer_.labels[targets[i].label];
    label.token_logprobs[targets[i].index] = readouts[i].logprob;
    label.is_greedy = label.is_greedy && readouts[i].is_greedy;
  }
  if (question_->num_top() > 0) ReadTop(targets, logits);
  --num_rows_missing_;
}

void QuestionRun::ReadTop(const std::vector<CompiledQuestion::Target>& targets, Span<const float> logits) {
  const std::vector<LikelyToken> likeliest = LikeliestTokens(logits, question_->num_top());
  for (const CompiledQuestion::Target& target : targets) {
    LabelScore& label = answer_.labels[target.label];
    label.top.resize(label.token_logprobs.size() * likeliest.size());
    std::copy(likeliest.begin(), likeliest.end(), label.top.begin() + target.index * likeliest.size());
  }
}

Answer QuestionRun::TakeAnswer() {
  assert(is_complete());
  for (LabelScore& label : answer_.labels) {
    label.logprob = std::accumulate(label.token_logprobs.begin(), label.token_logprobs.end(), 0.0);
  }
  return std::move(answer_);
}

}  // namespace winnow
