#pragma once

#include <vector>

#include "backend/backend.h"
#include "backend/layer_placement.h"

namespace winnow {

// GPUs that this build of llama.cpp finds here, in its order, with their free memory of this moment.
std::vector<Device> GpuDevices();

// What the layers of a GGUF file would take on a device, read from the file's head. An estimate: the KV cache as the
// options size it, and for a step a reserve. Throws ERR_MODEL_LOAD.
LayerSizes LayerSizesOf(const ModelOptions& options);

}  // namespace winnow
