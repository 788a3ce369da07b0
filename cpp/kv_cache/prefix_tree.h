#pragma once

#include <bitset>
#include <map>
#include <memory>
#include <vector>

#include "base/span.h"
#include "base/types.h"

namespace winnow {

constexpr int kMaxSequences = 256;  // llama.cpp's LLAMA_MAX_SEQ.

// A radix tree over the tokens of resident sequences: finds the longest prefix of a prompt that some sequence holds.
// Every node knows the sequences that pass through it, so any of them can serve as the source of a fork.
class PrefixTree {
 public:
  PrefixTree();
  ~PrefixTree();

  struct Match {
    SequenceId sequence = kNoSequence;
    int length = 0;                        // Tokens in common; 0 = none, then sequence is kNoSequence.
    std::bitset<kMaxSequences> sequences;  // All that have these tokens in common.
  };
  // Where several sequences match as far, one of `preferred` if there is one, the lowest of them.
  Match Find(Span<const Token> tokens, const std::bitset<kMaxSequences>& preferred = {}) const;

  // Replaces what the tree knew of the sequence. No tokens = the same as Remove.
  void Insert(SequenceId sequence, Span<const Token> tokens);
  void Remove(SequenceId sequence);
  int num_nodes() const { return num_nodes_; }  // Without the root.

 private:
  struct Node {
    Node* parent = nullptr;
    std::vector<Token> edge;  // Tokens between the parent and this node, at least one but for the root.
    std::map<Token, std::unique_ptr<Node>> children;  // By the first token of their edge.
    std::bitset<kMaxSequences> sequences;             // That pass through or end at this node.
  };

  Node* AddChild(Node* parent, Span<const Token> edge);
  // Cuts the edge of `node` after `length` tokens; returns the new upper node.
  Node* Split(Node* node, int length);

  std::unique_ptr<Node> root_;
  std::vector<Node*> ends_;  // [sequences]: where each ends; null = not in the tree.
  int num_nodes_ = 0;
};

}  // namespace winnow
