/* Included in front of ggml's CPU code by the build (cmake/llama.cmake); C, no patch of ggml.

   ggml's threads wait for each other by spinning on a pause instruction, about 600 times a step. When another thread
   needs the core (a busy JavaScript thread, a second engine), the one that spins burns the time slice that the one it
   waits for is waiting for, and the engine nearly stops. Here a wait that lasts goes to sleep for a moment, so that the
   system sees who has work to do. docs/decisions/0002-waiting-threads.md */
#ifndef WINNOW_KERNELS_SPIN_WAIT_H_
#define WINNOW_KERNELS_SPIN_WAIT_H_

#if defined(__linux__) && defined(__x86_64__)

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <immintrin.h>
#include <time.h>
#include <x86intrin.h>

static inline void winnow_pause(void) { _mm_pause(); }

/* One turn of a waiting loop. Cycles of the time-stamp counter: 2 to 4 a nanosecond. */
static inline void winnow_wait_turn(void) {
  enum { kNewWait = 20000, kSleepAfter = 100000, kSleepNanoseconds = 1000 };
  static __thread unsigned long long begin, last;
  unsigned long long now = __rdtsc();
  if (now - last > kNewWait) begin = now; /* The last turn belonged to another wait. */
  winnow_pause();
  if (now - begin > kSleepAfter) {
    struct timespec moment = {0, kSleepNanoseconds}; /* About 50 µs: the system's timer slack comes on top. */
    nanosleep(&moment, NULL);
    now = __rdtsc();
  }
  last = now;
}

#define _mm_pause winnow_wait_turn

#endif

#endif
