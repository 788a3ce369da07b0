#pragma once

#include <cstdint>
#include <vector>

namespace winnow {

// A pinned prefix outside of the cache.
struct SavedPrefix {
  std::vector<uint8_t> state;  // Keys and values of its tokens, as the backend writes them.
  std::vector<float> row;      // [vocabulary]: the logits behind its last token.
};

}  // namespace winnow
