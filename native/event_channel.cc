#include "event_channel.h"

namespace winnow {

std::shared_ptr<EventChannel> EventChannel::Open(Napi::Env env, Napi::Function on_events) {
  auto channel = std::make_shared<EventChannel>();
  // The finalizer's copy keeps the channel alive for as long as the thread-safe function.
  auto* self = new std::shared_ptr<EventChannel>(channel);
  auto finalize = [](Napi::Env, std::shared_ptr<EventChannel>* self, std::nullptr_t*) {
    {
      std::lock_guard<std::mutex> lock((*self)->mutex_);
      (*self)->is_open_ = false;
    }
    delete self;
  };
  channel->function_ = Function::New(env, on_events, "winnow:events", /*maxQueueSize=*/0, /*initialThreadCount=*/1,
                                     static_cast<std::nullptr_t*>(nullptr), finalize, self);
  channel->function_.Unref(env);
  return channel;
}

void EventChannel::Push(Work work) {
  auto boxed = std::make_unique<Work>(std::move(work));
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_open_ && function_.NonBlockingCall(boxed.get()) == napi_ok) boxed.release();
}

void EventChannel::Hold(Napi::Env env) {
  if (num_holds_++ == 0 && is_open_) function_.Ref(env);
}

void EventChannel::LetGo(Napi::Env env) {
  if (--num_holds_ == 0 && is_open_) function_.Unref(env);
}

void EventChannel::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!std::exchange(is_open_, false)) return;
  function_.Release();
}

void EventChannel::CallJs(Napi::Env env, Napi::Function on_events, std::nullptr_t*, Work* work) {
  std::unique_ptr<Work> owned(work);
  if (env == nullptr) return;  // The environment is going away.
  Napi::HandleScope scope(env);
  (*owned)(env, on_events);
}

}  // namespace winnow
