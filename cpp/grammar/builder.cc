#include "grammar/builder.h"

#include <algorithm>
#include <cmath>

namespace winnow {
namespace {

using Symbol = Grammar::Symbol;
using Sequence = GrammarBuilder::Sequence;
using Rules = std::vector<std::vector<Sequence>>;

constexpr uint32_t kLastCodePoint = 0x10FFFF;

std::vector<uint8_t> EncodeUtf8(uint32_t c) {
  const auto tail = [](uint32_t bits) { return static_cast<uint8_t>(0x80 | (bits & 0x3F)); };
  if (c < 0x80) return {static_cast<uint8_t>(c)};
  if (c < 0x800) return {static_cast<uint8_t>(0xC0 | c >> 6), tail(c)};
  if (c < 0x10000) return {static_cast<uint8_t>(0xE0 | c >> 12), tail(c >> 6), tail(c)};
  return {static_cast<uint8_t>(0xF0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

GrammarBuilder::CodePointRanges Sorted(GrammarBuilder::CodePointRanges ranges) {
  std::sort(ranges.begin(), ranges.end());
  GrammarBuilder::CodePointRanges merged;
  for (const auto& [first, last] : ranges) {
    if (!merged.empty() && first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, last);
    } else {
      merged.push_back({first, last});
    }
  }
  return merged;
}

GrammarBuilder::CodePointRanges Complement(const GrammarBuilder::CodePointRanges& sorted) {
  GrammarBuilder::CodePointRanges rest;
  uint32_t next = 0;
  for (const auto& [first, last] : sorted) {
    if (first > next) rest.push_back({next, first - 1});
    next = last + 1;
  }
  if (next <= kLastCodePoint) rest.push_back({next, kLastCodePoint});
  return rest;
}

// Which rules have an alternative all of whose symbols have the property; those of bytes have it or not. Linear in the
// number of symbols: an alternative waits for its rules, and a rule that gets the property wakes those that wait for
// it.
std::vector<bool> Spread(const Rules& rules, bool bytes_have_it) {
  std::vector<bool> has(rules.size());
  std::vector<int> missing, owner, ready;
  std::vector<std::vector<int>> waiting(rules.size());
  const auto gain = [&](int rule) {
    if (has[rule]) return;
    has[rule] = true;
    ready.push_back(rule);
  };
  for (size_t rule = 0; rule < rules.size(); ++rule) {
    for (const Sequence& sequence : rules[rule]) {
      const int alternative = static_cast<int>(owner.size());
      owner.push_back(static_cast<int>(rule));
      missing.push_back(0);
      for (const Symbol& symbol : sequence) {
        if (symbol.kind == Symbol::Kind::kRule) waiting[symbol.index].push_back(alternative);
        if (symbol.kind == Symbol::Kind::kRule || !bytes_have_it) ++missing.back();
      }
      if (missing.back() == 0) gain(static_cast<int>(rule));
    }
  }
  while (!ready.empty()) {
    const int rule = ready.back();
    ready.pop_back();
    for (int alternative : waiting[rule]) {
      if (--missing[alternative] == 0) gain(owner[alternative]);
    }
  }
  return has;
}

}  // namespace

void GrammarBuilder::Count(size_t symbols) {
  num_symbols_ += symbols;
  if (num_symbols_ > max_symbols_) throw TooLarge();
}

int GrammarBuilder::AddRule() {
  rules_.emplace_back();
  return static_cast<int>(rules_.size()) - 1;
}

void GrammarBuilder::AddAlternative(int rule, Sequence sequence) {
  Count(sequence.size() + 1);
  rules_[rule].push_back(std::move(sequence));
}

Symbol GrammarBuilder::OneOf(std::vector<Sequence> alternatives) {
  if (alternatives.size() == 1 && alternatives[0].size() == 1) return alternatives[0][0];
  const int rule = AddRule();
  for (Sequence& sequence : alternatives) AddAlternative(rule, std::move(sequence));
  return Rule(rule);
}

Symbol GrammarBuilder::Bytes(const Grammar::ByteSet& set) {
  std::string key(reinterpret_cast<const char*>(&set), sizeof(set));
  const auto [found, is_new] = index_of_.try_emplace(std::move(key), static_cast<int>(byte_sets_.size()));
  if (is_new) byte_sets_.push_back(set);
  return {Symbol::Kind::kBytes, found->second};
}

void GrammarBuilder::AppendUtf8(uint32_t code_point, Sequence* sequence) {
  for (uint8_t byte : EncodeUtf8(code_point)) sequence->push_back(Bytes(Grammar::ByteSet().set(byte)));
}

Symbol GrammarBuilder::Character(const CodePointRanges& ranges, bool is_negated) {
  CodePointRanges sorted = Sorted(ranges);
  if (is_negated) sorted = Complement(sorted);
  std::vector<Sequence> alternatives;
  Grammar::ByteSet ascii;
  for (const auto& [first, last] : sorted) {
    for (uint32_t c = first; c <= std::min(last, 0x7Fu); ++c) ascii.set(c);
    if (last >= 0x80) AddUtf8(std::max(first, 0x80u), last, &alternatives);
  }
  if (ascii.any()) alternatives.push_back({Bytes(ascii)});
  return OneOf(std::move(alternatives));
}

// Cuts the range until the bytes of each piece vary independently of each other (as RE2 does it): by encoded length,
// around the surrogates, and at multiples of 64, 64² and 64³.
void GrammarBuilder::AddUtf8(uint32_t first, uint32_t last, std::vector<Sequence>* alternatives) {
  const auto cut = [&](uint32_t behind) {
    AddUtf8(first, behind, alternatives);
    AddUtf8(behind + 1, last, alternatives);
  };
  for (uint32_t end : {0x7FFu, 0xD7FFu, 0xDFFFu, 0xFFFFu}) {
    if (first <= end && end < last) return cut(end);
  }
  if (first >= 0xD800 && last <= 0xDFFF) return;
  for (int shift = 6; shift <= 18; shift += 6) {
    const uint32_t low = (1u << shift) - 1;
    if ((first & ~low) == (last & ~low)) continue;
    if ((first & low) != 0) return cut(first | low);
    if ((last & low) != low) return cut((last & ~low) - 1);
  }
  const std::vector<uint8_t> from = EncodeUtf8(first);
  const std::vector<uint8_t> to = EncodeUtf8(last);
  Sequence sequence;
  for (size_t i = 0; i < from.size(); ++i) {
    Grammar::ByteSet set;
    for (int byte = from[i]; byte <= to[i]; ++byte) set.set(byte);
    sequence.push_back(Bytes(set));
  }
  alternatives->push_back(std::move(sequence));
}

Sequence GrammarBuilder::Repeat(Symbol unit, int min, int max) {
  Count(static_cast<size_t>(min));
  Sequence sequence(min, unit);
  if (max < 0) {
    sequence.push_back(AnyNumberOf(unit));
  } else if (max > min) {
    sequence.push_back(AtMost(unit, max - min));
  }
  return sequence;
}

// Recursive on the left: the recogniser then does the same work for every repetition.
Symbol GrammarBuilder::AnyNumberOf(Symbol unit) {
  const int rule = AddRule();
  AddAlternative(rule, {});
  AddAlternative(rule, {Rule(rule), unit});
  return Rule(rule);
}

// 0 … max, in blocks of about √max: the recogniser's work at each repetition grows with √max, not with max.
Symbol GrammarBuilder::AtMost(Symbol unit, int max) {
  if (max == 0) return OneOf({{}});
  if (max == 1) return OneOf({{}, {unit}});
  if (max <= 8) return OneOf({{}, {unit, AtMost(unit, max - 1)}});
  const int size = static_cast<int>(std::sqrt(max + 1.0));
  const int blocks = (max + 1) / size;  // Lengths 0 … size · blocks − 1 are some blocks and a rest.
  Count(size);
  const Symbol block = OneOf({Sequence(size, unit)});
  std::vector<Sequence> alternatives{{AtMost(block, blocks - 1), AtMost(unit, size - 1)}};
  const int more = max - size * blocks;
  if (more >= 0) {
    Sequence longest(blocks, block);
    longest.push_back(AtMost(unit, more));
    alternatives.push_back(std::move(longest));
  }
  return OneOf(std::move(alternatives));
}

bool GrammarBuilder::Finish(Grammar* grammar) {
  const std::vector<bool> is_productive = Spread(rules_, /*bytes_have_it=*/true);
  const auto is_dead = [&](const Symbol& s) { return s.kind == Symbol::Kind::kRule && !is_productive[s.index]; };
  for (auto& alternatives : rules_) {
    const auto matches_nothing = [&](const Sequence& s) { return std::any_of(s.begin(), s.end(), is_dead); };
    alternatives.erase(std::remove_if(alternatives.begin(), alternatives.end(), matches_nothing), alternatives.end());
  }
  grammar->is_nullable = Spread(rules_, /*bytes_have_it=*/false);
  grammar->byte_sets = byte_sets_;
  grammar->rules.resize(rules_.size());
  for (size_t rule = 0; rule < rules_.size(); ++rule) {
    for (const Sequence& sequence : rules_[rule]) {
      grammar->rules[rule].push_back(static_cast<int>(grammar->symbols.size()));
      grammar->symbols.insert(grammar->symbols.end(), sequence.begin(), sequence.end());
      grammar->symbols.push_back({Symbol::Kind::kEnd, static_cast<int>(rule)});
    }
  }
  return is_productive[0];
}

}  // namespace winnow
