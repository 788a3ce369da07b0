#include "backend/backend.h"
#include "backend/devices.h"
#include "backend/machine.h"
#include "llama.h"

namespace winnow {

std::vector<std::pair<std::string, std::string>> BuildInfo() {
  const std::string& trouble = DeviceTrouble();  // First: see there.
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
  if (!trouble.empty()) info.emplace_back("deviceTrouble", trouble);
  for (const Device& device : GpuDevices()) {
    info.emplace_back("gpu " + device.name, device.description + ", " + std::to_string(device.free_bytes >> 20) +
                                                " of " + std::to_string(device.total_bytes >> 20) + " MiB free");
  }
  return info;
}

}  // namespace winnow
