#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <optional>

#include "js_error.h"

namespace winnow {

// Runs `work` on a thread of Node's pool and settles a promise with what `convert` makes of its result, on the
// JavaScript thread. What either throws rejects the promise.
template <class Result>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Convert = std::function<Napi::Value(Napi::Env, Result)>;

  static Napi::Promise Run(Napi::Env env, Work work, Convert convert) {
    auto* worker = new PromiseWorker(env, std::move(work), std::move(convert));  // Deletes itself.
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      result_ = work_();
    } catch (...) {
      exception_ = std::current_exception();
    }
  }

  void OnOK() override {
    Napi::Env env = Env();
    if (exception_) return deferred_.Reject(JsErrorOf(env, exception_).Value());
    try {
      deferred_.Resolve(convert_(env, std::move(*result_)));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Convert convert)
      : Napi::AsyncWorker(env, "winnow:worker"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        convert_(std::move(convert)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Convert convert_;
  std::optional<Result> result_;
  std::exception_ptr exception_;
};

}  // namespace winnow
