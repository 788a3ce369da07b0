#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "grammar/grammar.h"

namespace winnow {

// Puts a grammar together, rule by rule, and writes repetitions out.
class GrammarBuilder {
 public:
  // Beyond `max_symbols`: whoever reads the grammar knows at which place.
  struct TooLarge {};

  using Symbol = Grammar::Symbol;
  using Sequence = std::vector<Symbol>;
  using CodePointRanges = std::vector<std::pair<uint32_t, uint32_t>>;  // Both ends included.

  explicit GrammarBuilder(size_t max_symbols) : max_symbols_(max_symbols) {}

  int AddRule();
  void AddAlternative(int rule, Sequence sequence);

  void AppendUtf8(uint32_t code_point, Sequence* sequence);
  // A character of any of the ranges, as UTF-8.
  Symbol Character(const CodePointRanges& ranges, bool is_negated);
  static Symbol Rule(int rule) { return {Symbol::Kind::kRule, rule}; }
  // A rule of its own with these alternatives.
  Symbol OneOf(std::vector<Sequence> alternatives);

  // `unit` at least `min` and at most `max` times; max < 0 = any number.
  Sequence Repeat(Symbol unit, int min, int max);

  // Rule 0 is the root. Alternatives that match no text are left out. False where the root matches none at all.
  bool Finish(Grammar* grammar);

 private:
  Symbol AtMost(Symbol unit, int max);
  Symbol AnyNumberOf(Symbol unit);
  Symbol Bytes(const Grammar::ByteSet& set);
  void AddUtf8(uint32_t first, uint32_t last, std::vector<Sequence>* alternatives);
  void Count(size_t symbols);

  size_t max_symbols_;
  size_t num_symbols_ = 0;
  std::vector<std::vector<Sequence>> rules_;  // [rules][alternatives]
  std::vector<Grammar::ByteSet> byte_sets_;
  std::map<std::string, int> index_of_;  // Of byte sets, by their content.
};

}  // namespace winnow
