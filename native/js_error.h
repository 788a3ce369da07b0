#pragma once

#include <napi.h>

#include <exception>
#include <string>

#include "base/error.h"

namespace winnow {

// A JavaScript Error with a `code` and, where there are some, `facts`: an object of numbers.
Napi::Error JsError(Napi::Env env, const std::string& code, const std::string& message, const ErrorFacts& facts = {});

Napi::Object FactsToJs(Napi::Env env, const ErrorFacts& facts);

// The exception at hand as a JavaScript Error; what has no code of its own gets ERR_NATIVE.
Napi::Error JsErrorOf(Napi::Env env, std::exception_ptr exception);

// Runs `body`; what it throws reaches JavaScript with its code.
template <class Body>
auto WithJsErrors(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw JsErrorOf(env, std::current_exception());
  }
}

}  // namespace winnow
