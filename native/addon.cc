#include <napi.h>

#include <string>

#include "convert.h"
#include "engine/registry.h"
#include "engine_wrap.h"
#include "event_channel.h"
#include "file_lock.h"
#include "js_error.h"
#include "promise_worker.h"

namespace winnow {
namespace {

// Engines with equal keys are one.
std::string KeyOf(const ModelOptions& options, const EngineOptions& engine_options) {
  std::string key;
  for (const std::string& path : options.paths) key += path + '\n';
  for (int value : {options.context_size, options.cache_tokens, options.max_sequences, options.max_step_tokens,
                    options.threads, options.gpu_layers, engine_options.max_queue}) {
    key += std::to_string(value) + ' ';
  }
  for (int layer : options.hidden_layers) key += 'h' + std::to_string(layer) + ' ';
  key += std::to_string(engine_options.target_inter_token_ms) + ' ';
  return key + options.cache_type + ' ' + options.kernels;
}

// Log lines and progress travel the same way as events.
void SendLogAndProgress(const std::shared_ptr<EventChannel>& channel, ModelOptions* options) {
  std::weak_ptr<EventChannel> weak = channel;  // The backend outlives the environment that loaded it.
  auto send = [weak](auto fill) {
    if (std::shared_ptr<EventChannel> channel = weak.lock()) {
      channel->Push([fill](Napi::Env env, Napi::Function on_events) {
        Napi::Object event = Napi::Object::New(env);
        fill(event);
        Napi::Array batch = Napi::Array::New(env, 1);
        batch.Set(uint32_t{0}, event);
        on_events.Call({batch});
      });
    }
  };
  options->log = [send](LogLevel level, std::string_view line) {
    send([level, line = std::string(line)](Napi::Object event) {
      event.Set("type", "log");
      event.Set("level", LogLevelName(level));
      event.Set("line", line);
    });
  };
  options->progress = [send](float loaded) {
    send([loaded](Napi::Object event) {
      event.Set("type", "progress");
      event.Set("loaded", loaded);
    });
  };
}

class WinnowAddon : public Napi::Addon<WinnowAddon> {
 public:
  WinnowAddon(Napi::Env env, Napi::Object exports) {
    engine_class_ = Napi::Persistent(EngineWrap::Define(env));
    DefineAddon(exports, {InstanceMethod("openEngine", &WinnowAddon::OpenEngine),
                          InstanceMethod("checkVocabulary", &WinnowAddon::CheckVocabulary),
                          InstanceMethod("buildInfo", &WinnowAddon::BuildInfo),
                          InstanceMethod("tryLockFile", &WinnowAddon::LockFile)});
  }

 private:
  Napi::Value OpenEngine(const Napi::CallbackInfo& info) {
    ModelOptions options = ModelOptionsFrom(info[0].As<Napi::Object>());
    EngineOptions engine_options = EngineOptionsFrom(info[0].As<Napi::Object>());
    std::shared_ptr<EventChannel> channel = EventChannel::Open(info.Env(), info[1].As<Napi::Function>());
    SendLogAndProgress(channel, &options);
    auto open = [options, engine_options, channel] {
      try {
        auto load = [&] { return MakeBackend(options); };
        return winnow::OpenEngine(KeyOf(options, engine_options), load, engine_options);
      } catch (...) {
        channel->Push([channel](Napi::Env, Napi::Function) { channel->Close(); });
        throw;
      }
    };
    auto wrap = [this, channel](Napi::Env env, std::shared_ptr<Engine> engine) -> Napi::Value {
      Napi::Object object = engine_class_.New({});
      EngineWrap::Unwrap(object)->Attach(env, std::move(engine), channel);
      return object;
    };
    return PromiseWorker<std::shared_ptr<Engine>>::Run(info.Env(), open, wrap);
  }

  void CheckVocabulary(const Napi::CallbackInfo& info) {
    std::string path = info[0].As<Napi::String>();
    WithJsErrors(info.Env(), [&] { winnow::CheckVocabulary(path); });
  }

  Napi::Value BuildInfo(const Napi::CallbackInfo& info) {
    Napi::Object object = Napi::Object::New(info.Env());
    for (const auto& [name, value] : winnow::BuildInfo()) object.Set(name, value);
    return object;
  }

  Napi::Value LockFile(const Napi::CallbackInfo& info) { return TryLockFile(info); }

  Napi::FunctionReference engine_class_;
};

}  // namespace

NODE_API_ADDON(WinnowAddon)

}  // namespace winnow
