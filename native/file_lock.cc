#include "file_lock.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "js_error.h"

#ifndef _WIN32
#include <sys/file.h>
#endif

namespace winnow {

Napi::Value TryLockFile(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
#ifdef _WIN32
  throw JsError(env, "ERR_FILE_LOCK", "Locking files is not supported on Windows.");
#else
  int descriptor = info[0].As<Napi::Number>().Int32Value();
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return Napi::Boolean::New(env, true);
  if (errno == EWOULDBLOCK) return Napi::Boolean::New(env, false);
  throw JsError(env, "ERR_FILE_LOCK", std::string("The file can't be locked: ") + std::strerror(errno));
#endif
}

}  // namespace winnow
