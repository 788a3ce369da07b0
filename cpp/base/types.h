#pragma once

#include <cstdint>
#include <limits>

namespace winnow {

using Token = int32_t;
using Position = int32_t;    // Of a token within its sequence, from 0.
using SequenceId = int32_t;  // A row of the KV cache: 0 … max_sequences − 1.
using RequestId = int64_t;   // From 1; 0 = none. A pinned prefix is named by the request that made it.
using TimeMs = int64_t;      // Milliseconds on a clock of the caller's: time comes in as an argument.

constexpr TimeMs kNever = std::numeric_limits<TimeMs>::max();
constexpr RequestId kNoRequest = 0;
constexpr SequenceId kNoSequence = -1;

}  // namespace winnow
