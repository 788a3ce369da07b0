#pragma once

#include <cstdint>

namespace winnow {

// Physical cores that this process may run on, at least 1.
int CountPhysicalCores();

// Bytes of main memory that can be had without swapping; −1 = unknown.
int64_t AvailableMemory();

// Seconds for which the calling thread has had a core so far; −1 = unknown.
double ThreadCpuSeconds();

}  // namespace winnow
