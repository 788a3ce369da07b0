// Shows that what ends a process in ggml becomes an exception under a guard, again and again, and through ggml's own C
// frames; and that without a guard the process ends as before ("bare").
#include <cstdio>
#include <cstring>

#include "backend/device_guard.h"
#include "base/error.h"
#include "ggml.h"

namespace {

// An operation on tensors that don't fit together: ggml checks that with an assertion of its own.
void FailInGgml() {
  ggml_context* context = ggml_init({1 << 16, nullptr, /*no_alloc=*/true});
  ggml_tensor* a = ggml_new_tensor_2d(context, GGML_TYPE_F32, 3, 2);
  ggml_tensor* b = ggml_new_tensor_2d(context, GGML_TYPE_F32, 4, 2);
  ggml_mul_mat(context, a, b);
}

bool IsCaught() {
  winnow::DeviceGuard guard(true);
  try {
    FailInGgml();
  } catch (const winnow::Error& error) {
    return error.code() == "ERR_DEVICE_LOST" && std::strstr(error.what(), "GGML_ASSERT") != nullptr;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 0; i < 3; ++i) {
    if (!IsCaught()) return 1;
  }
  std::puts("caught");
  std::fflush(stdout);
  if (argc > 1 && std::strcmp(argv[1], "bare") == 0) FailInGgml();
  return 0;
}
