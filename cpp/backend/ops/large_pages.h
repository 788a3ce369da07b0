#pragma once

namespace winnow {

// Makes ggml's buffers in main memory use pages of 2 MiB where the system has them: with pages of 4 KiB, walks through
// weights and caches wait for the translation of addresses. Once per process, before the first model loads.
void InstallLargePages();

}  // namespace winnow
