#include "engine_wrap.h"

#include <utility>

#include "convert.h"
#include "js_error.h"

namespace winnow {

Napi::Function EngineWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "NativeEngine",
      {InstanceAccessor<&EngineWrap::Info>("info"), InstanceMethod<&EngineWrap::Submit>("submit"),
       InstanceMethod<&EngineWrap::Cancel>("cancel"), InstanceMethod<&EngineWrap::ReleasePrefix>("releasePrefix"),
       InstanceMethod<&EngineWrap::SavePrefix>("savePrefix"), InstanceMethod<&EngineWrap::LoadAdapter>("loadAdapter"),
       InstanceMethod<&EngineWrap::UnloadAdapter>("unloadAdapter"), InstanceMethod<&EngineWrap::Tokenize>("tokenize"),
       InstanceMethod<&EngineWrap::Detokenize>("detokenize"), InstanceMethod<&EngineWrap::Stats>("stats"),
       InstanceMethod<&EngineWrap::Close>("close")});
}

EngineWrap::EngineWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<EngineWrap>(info), state_(std::make_shared<State>()) {}

// Also at the end of the environment, where nobody has closed it.
EngineWrap::~EngineWrap() {
  if (engine_ == nullptr) return;
  engine_->CloseClient(client_, /*drain=*/false, [] {});
  state_->channel->Close();
}

void EngineWrap::Attach(Napi::Env, std::shared_ptr<Engine> engine, std::shared_ptr<EventChannel> channel) {
  state_->channel = channel;
  client_ = engine->OpenClient([channel, state = state_](std::vector<Event> events) {
    channel->Push([state, events = std::move(events)](Napi::Env env, Napi::Function on_events) {
      Deliver(env, on_events, *state, events);
    });
  });
  engine_ = std::move(engine);
}

void EngineWrap::State::Settle(Napi::Env env, RequestId request) {
  if (open.erase(request) > 0) channel->LetGo(env);
}

void EngineWrap::Deliver(Napi::Env env, Napi::Function on_events, State& state, const std::vector<Event>& events) {
  Napi::Array batch = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) {
    batch.Set(i, ToJs(env, events[i]));
    if (auto* finish = std::get_if<FinishEvent>(&events[i])) state.Settle(env, finish->request);
    if (auto* error = std::get_if<ErrorEvent>(&events[i])) state.Settle(env, error->request);
  }
  on_events.Call({batch});
}

Engine& EngineWrap::engine(Napi::Env env) const {
  if (engine_ == nullptr || is_closing_) throw JsError(env, "ERR_MODEL_CLOSED", "The model is closed.");
  return *engine_;
}

Napi::Value EngineWrap::Info(const Napi::CallbackInfo& info) { return ToJs(info.Env(), engine(info.Env()).info()); }

Napi::Value EngineWrap::Submit(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return WithJsErrors(env, [&] {
    RequestId id = engine(env).Submit(client_, RequestFrom(info[0].As<Napi::Object>()));
    state_->open.insert(id);
    state_->channel->Hold(env);
    return Napi::Number::New(env, static_cast<double>(id));
  });
}

void EngineWrap::Cancel(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || is_closing_) return;
  RequestId id = info[0].As<Napi::Number>().Int64Value();
  engine_->Cancel(id);
  state_->Settle(info.Env(), id);
}

void EngineWrap::ReleasePrefix(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || is_closing_) return;
  RequestId id = info[0].As<Napi::Number>().Int64Value();
  engine_->Release(id);
  state_->Settle(info.Env(), id);
}

// Settled on the way up that events take; the process stays alive until then.
Napi::Value EngineWrap::SavePrefix(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto deferred = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
  std::shared_ptr<EventChannel> channel = state_->channel;
  engine(env).Save(info[0].As<Napi::Number>().Int64Value(), [channel, deferred](Engine::SaveOutcome outcome) {
    channel->Push([channel, deferred, outcome = std::move(outcome)](Napi::Env env, Napi::Function) {
      channel->LetGo(env);
      if (const auto* error = std::get_if<ErrorEvent>(&outcome))
        return deferred->Reject(JsError(env, error->code, error->message, error->facts).Value());
      deferred->Resolve(ToJs(env, *std::get<0>(outcome)));
    });
  });
  channel->Hold(env);
  return deferred->Promise();
}

std::pair<Napi::Value, Engine::AdapterDone> EngineWrap::Settling(Napi::Env env) {
  auto deferred = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
  std::shared_ptr<EventChannel> channel = state_->channel;
  channel->Hold(env);
  return {deferred->Promise(), [channel, deferred](std::optional<ErrorEvent> failure) {
            channel->Push([channel, deferred, failure = std::move(failure)](Napi::Env env, Napi::Function) {
              channel->LetGo(env);
              if (failure)
                return deferred->Reject(JsError(env, failure->code, failure->message, failure->facts).Value());
              deferred->Resolve(env.Undefined());
            });
          }};
}

Napi::Value EngineWrap::LoadAdapter(const Napi::CallbackInfo& info) {
  Engine& opened = engine(info.Env());
  auto [promise, settle] = Settling(info.Env());
  opened.LoadAdapter(info[0].As<Napi::String>(), std::move(settle));
  return promise;
}

Napi::Value EngineWrap::UnloadAdapter(const Napi::CallbackInfo& info) {
  Engine& opened = engine(info.Env());
  auto [promise, settle] = Settling(info.Env());
  opened.UnloadAdapter(info[0].As<Napi::String>(), std::move(settle));
  return promise;
}

Napi::Value EngineWrap::Tokenize(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return WithJsErrors(env, [&] {
    std::string text = info[0].As<Napi::String>();
    return ToJs(env, engine(env).Tokenize(text, info[1].As<Napi::Boolean>(), info[2].As<Napi::Boolean>()));
  });
}

Napi::Value EngineWrap::Detokenize(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  return WithJsErrors(env, [&] {
    std::vector<Token> tokens = TokensFrom(info[0]);
    return Napi::String::New(env, engine(env).Detokenize(tokens, info[1].As<Napi::Boolean>()));
  });
}

Napi::Value EngineWrap::Stats(const Napi::CallbackInfo& info) { return ToJs(info.Env(), engine(info.Env()).stats()); }

Napi::Value EngineWrap::Close(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto deferred = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env));
  Napi::Promise promise = deferred->Promise();
  if (engine_ == nullptr || std::exchange(is_closing_, true)) {
    deferred->Resolve(env.Undefined());
    return promise;
  }
  Ref();  // This object must not be collected before its engine is let go.
  state_->channel->Hold(env);
  auto finish = [this, deferred](Napi::Env env, Napi::Function) {
    engine_.reset();
    state_->channel->Close();
    deferred->Resolve(env.Undefined());
    Unref();
  };
  std::shared_ptr<EventChannel> channel = state_->channel;
  engine_->CloseClient(client_, info[0].As<Napi::Boolean>(), [channel, finish] { channel->Push(finish); });
  return promise;
}

}  // namespace winnow
