#include <algorithm>
#include <map>
#include <string>

#include "base/error.h"
#include "grammar/builder.h"
#include "grammar/grammar.h"

namespace winnow {
namespace {

using Symbol = Grammar::Symbol;
using Sequence = GrammarBuilder::Sequence;

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class GbnfParser {
 public:
  GbnfParser(std::string_view text, const GrammarLimits& limits)
      : text_(text), limits_(limits), builder_(limits.max_symbols) {
    if (text.size() > limits.max_bytes) {
      Fail("the grammar has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(limits.max_bytes) +
               " are accepted",
           limits.max_bytes);
    }
  }

  Grammar Parse() {
    rule_of_["root"] = {builder_.AddRule(), kNotUsed};
    SkipSpace(/*newlines=*/true);
    ParseRules();
    CheckRules();
    Grammar grammar;
    if (!builder_.Finish(&grammar)) Fail("no text matches the rule 'root'", rule_of_.at("root").definition);
    return grammar;
  }

 private:
  static constexpr size_t kNotUsed = std::string_view::npos;
  static constexpr size_t kNotDefined = std::string_view::npos;
  struct NamedRule {
    int rule;
    size_t first_use;  // Where it is mentioned first; kNotUsed = nowhere.
    size_t definition = kNotDefined;
    bool is_defined() const { return definition != kNotDefined; }
  };

  bool is_at_end() const { return at_ >= text_.size(); }
  char current() const { return is_at_end() ? '\0' : text_[at_]; }
  bool Is(char c) const { return !is_at_end() && text_[at_] == c; }

  [[noreturn]] void Fail(const std::string& what, size_t at) const {
    const std::string_view before = text_.substr(0, std::min(at, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    throw Error("ERR_GRAMMAR",
                "Grammar, line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what + ".",
                {{"line", static_cast<double>(line)}, {"column", static_cast<double>(column)}});
  }
  [[noreturn]] void Fail(const std::string& what) const { Fail(what, at_); }

  void SkipSpace(bool newlines) {
    while (!is_at_end()) {
      const char c = current();
      if (c == '#') {
        while (!is_at_end() && current() != '\n' && current() != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string ParseName() {
    const size_t begin = at_;
    while (!is_at_end() && IsWordCharacter(current())) ++at_;
    if (begin == at_) Fail("a rule's name is expected");
    return std::string(text_.substr(begin, at_ - begin));
  }

  NamedRule& RuleNamed(const std::string& name) {
    const auto found = rule_of_.find(name);
    if (found != rule_of_.end()) return found->second;
    return rule_of_[name] = {builder_.AddRule(), kNotUsed};
  }

  void ParseRules() {
    try {
      while (!is_at_end()) ParseRule();
    } catch (const GrammarBuilder::TooLarge&) {
      Fail("the grammar is too large: with its repetitions written out it has more than " +
           std::to_string(limits_.max_symbols) + " symbols");
    }
  }

  void ParseRule() {
    const size_t begin = at_;
    NamedRule& rule = RuleNamed(ParseName());
    if (rule.is_defined()) Fail("the rule is defined twice", begin);
    rule.definition = begin;
    SkipSpace(/*newlines=*/false);
    if (text_.substr(at_, 3) != "::=") Fail("'::=' is expected");
    at_ += 3;
    SkipSpace(/*newlines=*/true);
    for (Sequence& sequence : ParseAlternatives(/*depth=*/0)) builder_.AddAlternative(rule.rule, std::move(sequence));
    if (!is_at_end() && current() != '\n' && current() != '\r') Fail("the end of the rule is expected");
    SkipSpace(/*newlines=*/true);
  }

  std::vector<Sequence> ParseAlternatives(int depth) {
    std::vector<Sequence> alternatives{ParseSequence(depth)};
    while (Is('|')) {
      ++at_;
      SkipSpace(/*newlines=*/true);
      alternatives.push_back(ParseSequence(depth));
    }
    return alternatives;
  }

  Sequence ParseSequence(int depth) {
    Sequence sequence;
    while (!is_at_end() && current() != '|' && current() != ')' && current() != '\n' && current() != '\r') {
      Sequence unit = ParseUnit(depth);
      SkipSpace(depth > 0);
      // A postfix may follow another: each repeats what stands before it.
      while (Is('*') || Is('+') || Is('?') || Is('{')) {
        unit = ParseRepetition(std::move(unit));
        SkipSpace(depth > 0);
      }
      sequence.insert(sequence.end(), unit.begin(), unit.end());
      if (sequence.size() > limits_.max_symbols) Fail("the grammar is too large");
    }
    return sequence;
  }

  Sequence ParseUnit(int depth) {
    switch (current()) {
      case '"':
        return ParseLiteral();
      case '[':
        return {ParseClass()};
      case '.':
        ++at_;
        return {builder_.Character({}, /*is_negated=*/true)};
      case '(':
        return {ParseGroup(depth)};
      case '<':
      case '!':
        Fail("terminals that are tokens (<…>) are not supported; write the text that they stand for");
      default:
        return {ParseReference()};
    }
  }

  Symbol ParseGroup(int depth) {
    if (depth + 1 > limits_.max_depth) {
      Fail("parentheses are nested more than " + std::to_string(limits_.max_depth) + " deep");
    }
    const size_t begin = at_++;
    SkipSpace(/*newlines=*/true);
    std::vector<Sequence> alternatives = ParseAlternatives(depth + 1);
    if (!Is(')')) Fail("this parenthesis is not closed", begin);
    ++at_;
    return builder_.OneOf(std::move(alternatives));
  }

  Symbol ParseReference() {
    const size_t begin = at_;
    NamedRule& rule = RuleNamed(ParseName());
    if (rule.first_use == kNotUsed) rule.first_use = begin;
    return GrammarBuilder::Rule(rule.rule);
  }

  Sequence ParseLiteral() {
    const size_t begin = at_++;
    Sequence sequence;
    while (!Is('"')) {
      if (is_at_end()) Fail("this literal is not closed", begin);
      builder_.AppendUtf8(ParseCharacter(), &sequence);
    }
    ++at_;
    return sequence;
  }

  Symbol ParseClass() {
    const size_t begin = at_++;
    const bool is_negated = Is('^');
    if (is_negated) ++at_;
    GrammarBuilder::CodePointRanges ranges;
    while (!Is(']')) {
      if (is_at_end()) Fail("this class is not closed", begin);
      const size_t range_begin = at_;
      const uint32_t first = ParseCharacter();
      uint32_t last = first;
      if (Is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        last = ParseCharacter();
      }
      if (last < first) Fail("the range is upside down", range_begin);
      ranges.push_back({first, last});
    }
    ++at_;
    if (ranges.empty() && !is_negated) Fail("the class is empty", begin);
    return builder_.Character(ranges, is_negated);
  }

  uint32_t ParseCharacter() {
    if (Is('\\')) return ParseEscape();
    const size_t begin = at_;
    const auto lead = static_cast<unsigned char>(text_[at_++]);
    if (lead < 0x80) return lead;
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t c = lead & (0x3F >> more);
    for (; more > 0; --more) {
      if (is_at_end() || (current() & 0xC0) != 0x80) Fail("the text is not UTF-8", begin);
      c = c << 6 | (text_[at_++] & 0x3F);
    }
    return c;
  }

  uint32_t ParseEscape() {
    const size_t begin = at_++;
    const char c = current();
    ++at_;
    switch (c) {
      case 'x':
        return ParseHex(2, begin);
      case 'u':
        return ParseHex(4, begin);
      case 'U':
        return ParseHex(8, begin);
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'n':
        return '\n';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<unsigned char>(c);
      default:
        Fail("unknown escape", begin);
    }
  }

  uint32_t ParseHex(int digits, size_t begin) {
    uint32_t value = 0;
    for (; digits > 0; --digits, ++at_) {
      const char c = current();
      const int lower = c | 0x20;
      if (!IsDigit(c) && !(lower >= 'a' && lower <= 'f')) Fail("hexadecimal digits are expected", begin);
      value = value << 4 | static_cast<uint32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) Fail("there is no such character", begin);
    return value;
  }

  Sequence ParseRepetition(Sequence sequence) {
    const Symbol unit = builder_.OneOf({std::move(sequence)});
    const char c = text_[at_++];
    if (c == '*') return builder_.Repeat(unit, 0, -1);
    if (c == '+') return builder_.Repeat(unit, 1, -1);
    if (c == '?') return builder_.Repeat(unit, 0, 1);
    SkipSpace(/*newlines=*/false);
    const int min = ParseNumber();
    int max = min;
    SkipSpace(/*newlines=*/false);
    if (Is(',')) {
      ++at_;
      SkipSpace(/*newlines=*/false);
      max = IsDigit(current()) ? ParseNumber() : -1;
      SkipSpace(/*newlines=*/false);
    }
    if (!Is('}')) Fail("'}' is expected");
    if (max >= 0 && max < min) Fail("the repetition's numbers are upside down");
    ++at_;
    return builder_.Repeat(unit, min, max);
  }

  int ParseNumber() {
    const size_t begin = at_;
    int value = 0;
    for (; IsDigit(current()); ++at_) {
      value = value * 10 + (current() - '0');
      if (value > limits_.max_repetitions) {
        Fail("more than " + std::to_string(limits_.max_repetitions) + " repetitions", begin);
      }
    }
    if (begin == at_) Fail("a number is expected");
    return value;
  }

  void CheckRules() const {
    if (!rule_of_.at("root").is_defined()) Fail("the grammar has no rule 'root'");
    for (const auto& [name, rule] : rule_of_) {
      if (!rule.is_defined()) Fail("there is no rule '" + name + "'", rule.first_use);
    }
  }

  std::string_view text_;
  GrammarLimits limits_;
  GrammarBuilder builder_;
  size_t at_ = 0;
  std::map<std::string, NamedRule> rule_of_;
};

}  // namespace

Grammar ParseGbnf(std::string_view text, const GrammarLimits& limits) { return GbnfParser(text, limits).Parse(); }

}  // namespace winnow
