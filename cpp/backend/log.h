#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backend/backend.h"

namespace winnow {

using LogSink = std::function<void(LogLevel, std::string_view)>;

// llama.cpp and ggml have one log of the whole process. While a LogScope lives, whole lines that its thread causes go
// to its sink (which may be empty); lines of threads without one, such as ggml's, go nowhere. Nothing is ever printed.
class LogScope {
 public:
  explicit LogScope(const LogSink& sink);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

  // The errors and warnings of this scope so far, joined: the reason of a call that only says that it failed.
  const std::string& reasons() const { return reasons_; }

 private:
  friend void ReceiveLog(int level, const char* text);
  void Receive(int level, std::string_view text);

  const LogSink& sink_;
  LogScope* outer_;
  LogLevel level_ = LogLevel::kInfo;
  std::string line_;
  std::string reasons_;
};

}  // namespace winnow
