#include "backend/log.h"

#include <mutex>

#include "llama.h"

namespace winnow {
namespace {

thread_local LogScope* current_scope = nullptr;

LogLevel LevelOf(int level) {
  switch (level) {
    case GGML_LOG_LEVEL_ERROR:
      return LogLevel::kError;
    case GGML_LOG_LEVEL_WARN:
      return LogLevel::kWarning;
    case GGML_LOG_LEVEL_INFO:
      return LogLevel::kInfo;
    default:
      return LogLevel::kDebug;
  }
}

}  // namespace

void ReceiveLog(int level, const char* text) {
  if (current_scope != nullptr) current_scope->Receive(level, text);
}

LogScope::LogScope(const LogSink& sink) : sink_(sink), outer_(current_scope) {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set([](ggml_log_level level, const char* text, void*) { ReceiveLog(level, text); }, nullptr);
  });
  current_scope = this;
}

LogScope::~LogScope() { current_scope = outer_; }

// Text comes in pieces; a piece that continues a line has a level of its own.
void LogScope::Receive(int level, std::string_view text) {
  if (level != GGML_LOG_LEVEL_CONT) level_ = LevelOf(level);
  for (char c : text) {
    if (c != '\n') {
      line_ += c;
      continue;
    }
    bool is_reason = level_ == LogLevel::kError || level_ == LogLevel::kWarning;
    if (is_reason) reasons_ += (reasons_.empty() ? "" : "; ") + line_;
    if (sink_ && !line_.empty()) sink_(level_, line_);
    line_.clear();
  }
}

}  // namespace winnow
