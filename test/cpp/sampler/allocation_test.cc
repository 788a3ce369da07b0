// Replaces the global operator new of this executable by one that counts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "sampler/sampler.h"

#if defined(__GNUC__)
#define WINNOW_NOINLINE __attribute__((noinline))  // Else GCC sees free() take memory from new, and warns.
#else
#define WINNOW_NOINLINE
#endif

namespace {
size_t num_allocations = 0;
}

WINNOW_NOINLINE void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++num_allocations;
  return std::malloc(size);
}
WINNOW_NOINLINE void* operator new(size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
WINNOW_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
WINNOW_NOINLINE void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace winnow {
namespace {

std::vector<SamplingOptions> WaysThroughTheSampler() {
  std::vector<SamplingOptions> ways(5);
  ways[0].temperature = 0;
  ways[2].top_k = 40;
  ways[3].top_p = 0.9f;
  ways[4].min_p = 0.05f;
  return ways;
}

// [first call, 20 further calls] on a thread of its own, whose scratch memory is fresh.
std::vector<size_t> CountAllocations(const SamplingOptions& options) {
  std::vector<float> row(49152);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i * 7919 % 1009) * 0.02f;
  const std::vector<Token> history(100, 7), banned = {1, 2};
  size_t counts[3] = {};
  std::thread thread([&] {
    Sampler sampler(options, 0);
    counts[0] = num_allocations;
    sampler.Sample(row, history, 0, banned);
    counts[1] = num_allocations;
    for (int position = 1; position <= 20; ++position) sampler.Sample(row, history, position, banned);
    counts[2] = num_allocations;
  });
  thread.join();
  return {counts[1] - counts[0], counts[2] - counts[1]};
}

TEST(Sampler, AllocatesNothingAfterTheFirstCall) {
  for (SamplingOptions options : WaysThroughTheSampler()) {
    options.logprobs = true;
    for (float penalty : {0.0f, 0.5f}) {
      options.presence_penalty = penalty;
      options.ngram_penalties = {{3, penalty}};
      options.sequence_bias = {{{7, 7, 8}, penalty}};
      const std::vector<size_t> counts = CountAllocations(options);
      EXPECT_GT(counts[0], 0u);
      EXPECT_EQ(counts[1], 0u);
    }
  }
}

}  // namespace
}  // namespace winnow
