#include "kv_cache/prefix_tree.h"

#include <algorithm>

namespace winnow {
namespace {

int CommonLength(Span<const Token> a, Span<const Token> b) {
  size_t limit = std::min(a.size(), b.size());
  return static_cast<int>(std::mismatch(a.begin(), a.begin() + limit, b.begin()).first - a.begin());
}

SequenceId LowestOf(const std::bitset<kMaxSequences>& sequences) {
  for (int i = 0; i < kMaxSequences; ++i) {
    if (sequences[i]) return i;
  }
  return kNoSequence;
}

}  // namespace

PrefixTree::PrefixTree() : root_(std::make_unique<Node>()), ends_(kMaxSequences) {}
PrefixTree::~PrefixTree() = default;

PrefixTree::Match PrefixTree::Find(Span<const Token> tokens, const std::bitset<kMaxSequences>& preferred) const {
  Match match;
  const Node* node = root_.get();
  while (match.length < static_cast<int>(tokens.size())) {
    Span<const Token> rest = tokens.Subspan(match.length);
    auto child = node->children.find(rest.front());
    if (child == node->children.end()) break;
    node = child->second.get();
    int common = CommonLength(rest, node->edge);
    match.length += common;
    const auto choice = node->sequences & preferred;
    match.sequences = node->sequences;
    match.sequence = LowestOf(choice.any() ? choice : node->sequences);
    if (common < static_cast<int>(node->edge.size())) break;
  }
  return match;
}

void PrefixTree::Insert(SequenceId sequence, Span<const Token> tokens) {
  Remove(sequence);
  if (tokens.empty()) return;
  Node* node = root_.get();
  while (!tokens.empty()) {
    auto child = node->children.find(tokens.front());
    if (child == node->children.end()) {
      node = AddChild(node, tokens);
      tokens = {};
    } else {
      node = child->second.get();
      int common = CommonLength(tokens, node->edge);
      if (common < static_cast<int>(node->edge.size())) node = Split(node, common);
      tokens = tokens.Subspan(common);
    }
    node->sequences.set(sequence);
  }
  ends_[sequence] = node;
}

void PrefixTree::Remove(SequenceId sequence) {
  Node* node = ends_[sequence];
  ends_[sequence] = nullptr;
  while (node != nullptr && node != root_.get()) {
    Node* parent = node->parent;
    node->sequences.reset(sequence);
    if (node->sequences.none()) {  // Nobody passes, so nobody is below either.
      parent->children.erase(node->edge.front());
      --num_nodes_;
    }
    node = parent;
  }
}

PrefixTree::Node* PrefixTree::AddChild(Node* parent, Span<const Token> edge) {
  auto child = std::make_unique<Node>();
  child->parent = parent;
  child->edge.assign(edge.begin(), edge.end());
  ++num_nodes_;
  return (parent->children[edge.front()] = std::move(child)).get();
}

PrefixTree::Node* PrefixTree::Split(Node* node, int length) {
  auto& slot = node->parent->children[node->edge.front()];
  auto lower = std::move(slot);
  auto upper = std::make_unique<Node>();
  upper->parent = node->parent;
  upper->edge.assign(node->edge.begin(), node->edge.begin() + length);
  upper->sequences = node->sequences;
  node->edge.erase(node->edge.begin(), node->edge.begin() + length);
  node->parent = upper.get();
  Token first = node->edge.front();
  upper->children[first] = std::move(lower);
  slot = std::move(upper);
  ++num_nodes_;
  return slot.get();
}

}  // namespace winnow
