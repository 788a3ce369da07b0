#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace winnow {

// The one way up: work that other threads hand to the JavaScript thread of one environment.
//
// Rules of the thread-safe function below: it doesn't keep the process alive unless somebody Holds it; nobody touches
// it once its environment is gone (the finalizer says so under the lock); what was queued then is deleted unrun.
class EventChannel : public std::enable_shared_from_this<EventChannel> {
 public:
  using Work = std::function<void(Napi::Env, Napi::Function on_events)>;

  // JavaScript thread. `on_events` is handed to every work.
  static std::shared_ptr<EventChannel> Open(Napi::Env env, Napi::Function on_events);

  // Any thread. Dropped when the channel is closed.
  void Push(Work work);

  // JavaScript thread: while it is held, the process stays alive. Pairs nest.
  void Hold(Napi::Env env);
  void LetGo(Napi::Env env);
  // JavaScript thread. What is queued still runs; twice is fine.
  void Close();

 private:
  static void CallJs(Napi::Env env, Napi::Function on_events, std::nullptr_t* context, Work* work);
  using Function = Napi::TypedThreadSafeFunction<std::nullptr_t, Work, CallJs>;

  std::mutex mutex_;
  Function function_;
  bool is_open_ = true;
  int num_holds_ = 0;
};

}  // namespace winnow
