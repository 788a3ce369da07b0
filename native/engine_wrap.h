#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>

#include "engine/engine.h"
#include "event_channel.h"

namespace winnow {

// NativeEngine of lib/native.ts: one environment's client of a shared engine. JavaScript thread only.
class EngineWrap : public Napi::ObjectWrap<EngineWrap> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit EngineWrap(const Napi::CallbackInfo& info);
  ~EngineWrap() override;

  // Connects a new object, on which nothing else works before.
  void Attach(Napi::Env env, std::shared_ptr<Engine> engine, std::shared_ptr<EventChannel> channel);

 private:
  Napi::Value Info(const Napi::CallbackInfo& info);
  Napi::Value Submit(const Napi::CallbackInfo& info);
  void Cancel(const Napi::CallbackInfo& info);
  void ReleasePrefix(const Napi::CallbackInfo& info);
  Napi::Value SavePrefix(const Napi::CallbackInfo& info);
  Napi::Value LoadAdapter(const Napi::CallbackInfo& info);
  Napi::Value UnloadAdapter(const Napi::CallbackInfo& info);
  Napi::Value Tokenize(const Napi::CallbackInfo& info);
  Napi::Value Detokenize(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // What outlives the JavaScript object: work that is queued for it when it is collected.
  struct State {
    std::shared_ptr<EventChannel> channel;
    std::unordered_set<RequestId> open;  // Requests whose last event hasn't come: each keeps the process alive.
    void Settle(Napi::Env env, RequestId request);
  };

  // A promise, and what settles it from the engine thread.
  std::pair<Napi::Value, Engine::AdapterDone> Settling(Napi::Env env);
  Engine& engine(Napi::Env env) const;
  static void Deliver(Napi::Env env, Napi::Function on_events, State& state, const std::vector<Event>& events);

  // Let go on the JavaScript thread only: an engine can't wait for the end of its own thread.
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<State> state_;
  Engine::ClientId client_ = 0;
  bool is_closing_ = false;
};

}  // namespace winnow
