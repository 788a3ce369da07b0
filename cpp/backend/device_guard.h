#pragma once

namespace winnow {

// ggml ends the process when a GPU fails in the middle of a computation. On a thread with a guard, that becomes an
// exception, ERR_DEVICE_LOST with ggml's own words. What ggml was working on is in an unknown state afterwards: nothing
// of it may be used or freed again.
class DeviceGuard {
 public:
  // `is_active` false: does nothing, for models on the CPU.
  explicit DeviceGuard(bool is_active);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  const bool is_active_;
};

}  // namespace winnow
