#include "backend/backend.h"
#include "backend/machine.h"
#include "llama.h"

namespace winnow {

std::vector<std::pair<std::string, std::string>> BuildInfo() {
  std::vector<std::pair<std::string, std::string>> info = {
      {"backend", "llama.cpp"},
      {"llama.cpp", llama_version()},
      {"features", llama_print_system_info()},
#if defined(WINNOW_NATIVE)
      {"portable", "no"},
#else
      {"portable", "yes"},
#endif
      {"physicalCores", std::to_string(CountPhysicalCores())},
      {"gpuOffload", llama_supports_gpu_offload() ? "yes" : "no"},
  };
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    info.emplace_back("device" + std::to_string(i),
                      std::string(ggml_backend_dev_name(device)) + ": " + ggml_backend_dev_description(device));
  }
  return info;
}

}  // namespace winnow
