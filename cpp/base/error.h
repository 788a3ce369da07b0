#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace winnow {

// Numbers that belong to an error, by the name of the field in which the user finds them.
using ErrorFacts = std::vector<std::pair<std::string, double>>;

// A failure that reaches the user: a stable code (ERR_…), what happened, what to do.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message, ErrorFacts facts = {})
      : std::runtime_error(message), code_(std::move(code)), facts_(std::move(facts)) {}
  const std::string& code() const { return code_; }
  const ErrorFacts& facts() const { return facts_; }

 private:
  std::string code_;
  ErrorFacts facts_;
};

}  // namespace winnow
