#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow {

// A context-free grammar over bytes. Rules are read off by their numbers; root is 0.
class Grammar {
 public:
  struct Symbol {
    enum class Kind : uint8_t { kBytes, kRule, kEnd };
    Kind kind = Kind::kEnd;
    int index = 0;  // kBytes: into byte_sets. kRule: the rule. kEnd: the rule that this alternative belongs to.
  };
  using ByteSet = std::bitset<256>;

  std::vector<Symbol> symbols;          // All alternatives, one after the other, each with kEnd behind it.
  std::vector<std::vector<int>> rules;  // [rules]: where its alternatives begin in `symbols`.
  std::vector<bool> is_nullable;        // [rules]: whether it matches the empty text.
  std::vector<ByteSet> byte_sets;
};

// Caps on what a grammar may be: with them no text of a grammar, however hostile, can take the process's memory or its
// stack (reliability: F4).
struct GrammarLimits {
  size_t max_bytes = 1 << 20;   // Of the text.
  int max_depth = 200;          // Nested parentheses.
  int max_repetitions = 10000;  // The numbers in x{m,n}.
  size_t max_symbols = 400000;  // After repetitions have been written out.
};

// Reads GBNF, llama.cpp's notation: literals, [classes], `.`, groups, `|`, `?`, `*`, `+`, `{m,n}`, comments. Rules may
// be recursive on any side. Throws Error ERR_GRAMMAR with line and column: wrong syntax, unknown rules, no `root`, a
// root that matches no text, a limit; terminals that are tokens (`<…>`) are refused.
Grammar ParseGbnf(std::string_view text, const GrammarLimits& limits = {});

}  // namespace winnow
