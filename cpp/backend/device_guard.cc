#include "backend/device_guard.h"

#include <mutex>
#include <string>

#include "base/error.h"
#include "ggml.h"

namespace winnow {
namespace {

thread_local int num_guards_here = 0;
std::mutex mutex;
int num_guards = 0;  // Of all threads.

// ggml calls abort() when this returns.
void OnAbort(const char* message) {
  if (num_guards_here == 0) return;
  throw Error("ERR_DEVICE_LOST",
              std::string("The GPU failed: ") + message +
                  ". The model can't go on: close it and start the process again, since the device's "
                  "state in this process is lost.");
}

// Only while it is needed: otherwise ggml says itself why the process ends.
void CountGuards(int change) {
  num_guards_here += change;
  std::lock_guard<std::mutex> lock(mutex);
  num_guards += change;
  ggml_set_abort_callback(num_guards > 0 ? OnAbort : nullptr);
}

}  // namespace

DeviceGuard::DeviceGuard(bool is_active) : is_active_(is_active) {
  if (is_active_) CountGuards(1);
}

DeviceGuard::~DeviceGuard() {
  if (is_active_) CountGuards(-1);
}

}  // namespace winnow
