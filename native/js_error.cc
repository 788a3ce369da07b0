#include "js_error.h"

namespace winnow {

Napi::Error JsError(Napi::Env env, const std::string& code, const std::string& message, const ErrorFacts& facts) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  if (!facts.empty()) error.Set("facts", FactsToJs(env, facts));
  return error;
}

Napi::Object FactsToJs(Napi::Env env, const ErrorFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, value] : facts) object.Set(name, Napi::Number::New(env, value));
  return object;
}

Napi::Error JsErrorOf(Napi::Env env, std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return JsError(env, error.code(), error.what(), error.facts());
  } catch (const std::exception& error) {
    return JsError(env, "ERR_NATIVE", error.what());
  } catch (...) {
    return JsError(env, "ERR_NATIVE", "Native code failed without a reason.");
  }
}

}  // namespace winnow
