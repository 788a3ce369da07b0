#pragma once

#include <cstdint>

namespace winnow {

using Token = int32_t;
using Position = int32_t;    // Of a token within its sequence, from 0.
using SequenceId = int32_t;  // A row of the KV cache: 0 … max_sequences − 1.
using RequestId = int64_t;   // From 1; 0 = none. A pinned prefix is named by the request that made it.

constexpr RequestId kNoRequest = 0;
constexpr SequenceId kNoSequence = -1;

}  // namespace winnow
