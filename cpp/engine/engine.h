#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backend/backend.h"
#include "engine/event.h"
#include "engine/request.h"
#include "engine/stats.h"

namespace winnow {

struct EngineOptions {
  int max_queue = 10'000;            // Requests that wait to begin; one more is refused.
  double target_inter_token_ms = 0;  // Milliseconds between the tokens of the highest priority, for which lower ones
                                     // are held back; 0 = never.
};

// A model with its cache and the one thread that owns them. Clients (one per JavaScript environment) submit requests
// from any thread; each gets at most one batch of events per step, on the engine thread.
class Engine {
 public:
  using ClientId = int64_t;
  using Emit = std::function<void(std::vector<Event>)>;

  explicit Engine(std::unique_ptr<Backend> backend, const EngineOptions& options = {});
  // Drops what is open, without events. Not on the engine thread.
  ~Engine();

  const ModelInfo& info() const;
  std::vector<Token> Tokenize(std::string_view text, bool add_special, bool parse_special) const;
  // Valid UTF-8.
  std::string Detokenize(Span<const Token> tokens, bool special) const;

  ClientId OpenClient(Emit emit);
  // Ends the client's requests (`drain`: waits for them) and releases its prefixes; then, on the engine thread, calls
  // `done`. Nothing is emitted to the client after that. Closing twice calls each `done`.
  void CloseClient(ClientId client, bool drain, std::function<void()> done);

  // Throws Error at once: ERR_QUEUE_FULL. What can't be served ends in an ErrorEvent: ERR_CONTEXT_OVERFLOW,
  // ERR_PREFIX_CLOSED, ERR_CACHE_TOO_SMALL, ERR_CACHE_FULL, ERR_UNSUPPORTED, ERR_OPTION_VALUE, ERR_TIMEOUT, and what
  // Backend::LoadAdapter throws.
  RequestId Submit(ClientId client, Request request);
  // Events that are already on their way may still arrive. Unknown and finished ids are fine.
  void Cancel(RequestId request);
  // Calls `done` on the engine thread with what Request::saved takes to have the prefix again, or with the reason why
  // not: ERR_PREFIX_CLOSED, ERR_UNSUPPORTED. Not called where the engine is stopped before.
  using SaveOutcome = std::variant<std::shared_ptr<const SavedPrefix>, ErrorEvent>;
  using SaveDone = std::function<void(SaveOutcome)>;
  void Save(RequestId prefix, SaveDone done);
  // Reads an adapter now, so that the first request which names it does not wait for the file. `done` on the engine
  // thread gets nothing, or why not: what Backend::LoadAdapter throws. Not called where the engine is stopped before.
  using AdapterDone = std::function<void(std::optional<ErrorEvent>)>;
  void LoadAdapter(const std::string& path, AdapterDone done);
  // Lets go of an adapter; one that isn't loaded is fine. ERR_ADAPTER_IN_USE: open requests or pinned prefixes have it.
  void UnloadAdapter(const std::string& path, AdapterDone done);
  // Lets go of a pinned prefix; requests that run on it go on.
  void Release(RequestId prefix);

  // Ends the engine thread; nothing is emitted afterwards and nothing else may be called. Twice is fine. Not on the
  // engine thread.
  void Stop();

  // Of the last finished step. Any thread.
  EngineStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace winnow
