// Time of one Sampler::Sample per kind of options; the argument is the vocabulary.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "sampler/sampler.h"

namespace winnow {
namespace {

// Like a model's: a bell of unlikely tokens and a few that stand out.
std::vector<float> PeakedRow(size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  for (int i = 0; i < 200; ++i) row[random() % size] = 14 - 2 * std::log(1.0f + static_cast<float>(i));
  return row;
}

// Nearly all tokens are equally likely: the hardest row for top-p.
std::vector<float> FlatRow(size_t size) {
  std::vector<float> row = PeakedRow(size);
  for (float& logit : row) logit *= 0.05f;
  return row;
}

void Run(benchmark::State& state, const SamplingOptions& options, const std::vector<float>& row,
         const std::vector<Token>& banned = {}) {
  const std::vector<Token> history(1024, 7);
  Sampler sampler(options, 0);
  Position position = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sampler.Sample(row, history, position++, banned));
}

void Greedy(benchmark::State& state) {
  SamplingOptions options;
  options.temperature = 0;
  Run(state, options, PeakedRow(state.range(0)));
}

void GreedyWithBan(benchmark::State& state) {
  SamplingOptions options;
  options.temperature = 0;
  Run(state, options, PeakedRow(state.range(0)), {2});
}

void Temperature(benchmark::State& state) { Run(state, {}, PeakedRow(state.range(0))); }

void TopK40(benchmark::State& state) {
  SamplingOptions options;
  options.top_k = 40;
  Run(state, options, PeakedRow(state.range(0)));
}

void TopP90(benchmark::State& state) {
  SamplingOptions options;
  options.top_p = 0.9f;
  Run(state, options, PeakedRow(state.range(0)));
}

void TopP90OfAFlatRow(benchmark::State& state) {
  SamplingOptions options;
  options.top_p = 0.9f;
  Run(state, options, FlatRow(state.range(0)));
}

void MinP5(benchmark::State& state) {
  SamplingOptions options;
  options.min_p = 0.05f;
  Run(state, options, PeakedRow(state.range(0)));
}

void TopK40WithPenalties(benchmark::State& state) {
  SamplingOptions options;
  options.top_k = 40;
  options.repetition_penalty = 1.1f;
  Run(state, options, PeakedRow(state.range(0)));
}

void TopK40WithLogprob(benchmark::State& state) {
  SamplingOptions options;
  options.top_k = 40;
  options.logprobs = true;
  Run(state, options, PeakedRow(state.range(0)));
}

void TopK40WithTopLogprobs20(benchmark::State& state) {
  SamplingOptions options;
  options.top_k = 40;
  options.logprobs = true;
  options.top_logprobs = 20;
  Run(state, options, PeakedRow(state.range(0)));
}

void Vocabularies(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(49152)->Arg(262144)->Unit(benchmark::kMicrosecond);
}

BENCHMARK(Greedy)->Apply(Vocabularies);
BENCHMARK(GreedyWithBan)->Apply(Vocabularies);
BENCHMARK(Temperature)->Apply(Vocabularies);
BENCHMARK(TopK40)->Apply(Vocabularies);
BENCHMARK(TopP90)->Apply(Vocabularies);
BENCHMARK(TopP90OfAFlatRow)->Apply(Vocabularies);
BENCHMARK(MinP5)->Apply(Vocabularies);
BENCHMARK(TopK40WithPenalties)->Apply(Vocabularies);
BENCHMARK(TopK40WithLogprob)->Apply(Vocabularies);
BENCHMARK(TopK40WithTopLogprobs20)->Apply(Vocabularies);

}  // namespace
}  // namespace winnow
