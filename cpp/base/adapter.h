#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

namespace winnow {

// A low-rank adapter (LoRA, arXiv 2106.09685) that a backend holds. An id is never given twice, so that what was
// computed with an adapter that is gone is never taken for another one's.
using AdapterId = int32_t;  // From 1.

constexpr AdapterId kNoAdapter = 0;
constexpr int kMaxAdapters = 8;  // Of a request.

struct AdapterScale {
  AdapterId adapter = 0;
  float scale = 1;  // Times alpha ÷ rank of its file.

  bool operator==(const AdapterScale& other) const { return adapter == other.adapter && scale == other.scale; }
  bool operator<(const AdapterScale& other) const {
    return std::tie(adapter, scale) < std::tie(other.adapter, other.scale);
  }
};

// What is added to the weights, in the order of the files' paths, since sums depend on it: none twice, no scale of 0.
// Empty = the model alone.
using AdapterSet = std::vector<AdapterScale>;

}  // namespace winnow
