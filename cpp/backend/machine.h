#pragma once

#include <cstddef>
#include <cstdint>

namespace winnow {

// Physical cores that this process may run on, at least 1.
int CountPhysicalCores();

// Bytes of main memory that can be had without swapping; −1 = unknown.
int64_t AvailableMemory();

// Seconds for which the calling thread has had a core so far; −1 = unknown.
double ThreadCpuSeconds();

// Gives what was freed back to the system. Loading a model allocates and frees a copy of its largest tensors, which the
// C library would keep.
void ReturnFreedMemory();

// Asks for pages of 2 MiB where `memory`, which nobody has touched, covers them whole. Systems may decline.
void UseLargePages(void* memory, size_t size);

}  // namespace winnow
