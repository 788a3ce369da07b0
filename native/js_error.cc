#include "js_error.h"

#include "base/error.h"

namespace winnow {

Napi::Error JsError(Napi::Env env, const std::string& code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

Napi::Error JsErrorOf(Napi::Env env, std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return JsError(env, error.code(), error.what());
  } catch (const std::exception& error) {
    return JsError(env, "ERR_NATIVE", error.what());
  } catch (...) {
    return JsError(env, "ERR_NATIVE", "Native code failed without a reason.");
  }
}

}  // namespace winnow
