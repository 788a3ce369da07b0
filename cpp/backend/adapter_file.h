#pragma once

#include <string>
#include <vector>

namespace winnow {

// Checks the file of a low-rank adapter against the model's: llama.cpp asserts some of it, in the loader and when it
// builds a graph, and passes over what it can't apply. Throws ERR_ADAPTER_NOT_FOUND, ERR_ADAPTER_FILE,
// ERR_ADAPTER_MISMATCH, ERR_UNSUPPORTED, ERR_OUT_OF_MEMORY.
void CheckAdapterFile(const std::string& path, const std::vector<std::string>& model_paths,
                      const std::string& architecture);

}  // namespace winnow
