#pragma once

#include <napi.h>

namespace winnow {

// Locks the file behind a descriptor for this descriptor alone; false where another one has it. The lock ends with the
// descriptor, whatever ends that: the system forgets a dead owner's lock at once. Throws ERR_FILE_LOCK where the file
// system has no locks.
Napi::Value TryLockFile(const Napi::CallbackInfo& info);

}  // namespace winnow
