#pragma once

#include <memory>
#include <string>

#include "gguf.h"

namespace winnow {

struct GgufDeleter {
  void operator()(gguf_context* file) const { gguf_free(file); }
};
using GgufPointer = std::unique_ptr<gguf_context, GgufDeleter>;

// The head of a GGUF file, without its tensors' data; null where it can't be read.
inline GgufPointer OpenGguf(const std::string& path) {
  return GgufPointer(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
}

}  // namespace winnow
