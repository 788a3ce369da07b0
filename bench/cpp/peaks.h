#pragma once

namespace winnow {

// What one core of this machine can do at the moment; a shared machine's peaks move by 2×, so measure them beside what
// is compared with them. 0 where the processor lacks the instructions.
struct Peaks {
  double byte_products;   // int8 multiply-adds as its instruction set does them, 1e9/s: VNNI, or 16-bit sums with AVX2.
  double float_products;  // float32 multiply-adds, 1e9/s.
  double memory_bandwidth;  // Reading what no cache holds, 1e9 bytes/s.
};

Peaks MeasurePeaks(bool use_avx512);

}  // namespace winnow
