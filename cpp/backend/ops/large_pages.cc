#include "backend/ops/large_pages.h"

#include "backend/machine.h"
#include "ggml-backend-impl.h"
#include "ggml-backend.h"

namespace winnow {
namespace {

using AllocBuffer = ggml_backend_buffer_t (*)(ggml_backend_buffer_type_t type, size_t size);
AllocBuffer alloc_small = nullptr;

// Before anybody touches the memory: what is there already would have to be moved.
ggml_backend_buffer_t AllocLarge(ggml_backend_buffer_type_t type, size_t size) {
  ggml_backend_buffer_t buffer = alloc_small(type, size);
  if (buffer != nullptr) UseLargePages(ggml_backend_buffer_get_base(buffer), size);
  return buffer;
}

}  // namespace

void InstallLargePages() {
  ggml_backend_buffer_type_t type = ggml_backend_cpu_buffer_type();
  alloc_small = type->iface.alloc_buffer;
  type->iface.alloc_buffer = AllocLarge;
}

}  // namespace winnow
