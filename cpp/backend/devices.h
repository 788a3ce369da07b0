#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/layer_placement.h"

namespace winnow {

// Why a kind of device that this build knows can't be used here, such as a driver that is missing or too old; empty
// where nothing is wrong. ggml looks for devices once in a process, in the first call of this, and then tells the
// reason.
const std::string& DeviceTrouble();

// GPUs that this build of llama.cpp finds here, in its order, with their free memory of this moment.
std::vector<Device> GpuDevices();

// What the layers of a GGUF file would take on a device, read from the file's head. An estimate: the KV cache as the
// options size it, and for a step a reserve. Throws ERR_MODEL_LOAD.
LayerSizes LayerSizesOf(const ModelOptions& options);

}  // namespace winnow
