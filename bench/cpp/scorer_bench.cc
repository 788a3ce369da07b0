// Time to read one row of logits; the first argument is the vocabulary, the second the number of ids read.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "scorer/question_run.h"
#include "scorer/row_readout.h"

namespace winnow {
namespace {

std::vector<float> RandomRow(size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

void ReadRows(benchmark::State& state) {
  const std::vector<float> row = RandomRow(state.range(0));
  std::vector<Token> tokens(state.range(1));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<Token>(i * 1000);
  for (auto _ : state) benchmark::DoNotOptimize(ReadRow(row, tokens));
}

void LogSumExpOfRow(benchmark::State& state) {
  const std::vector<float> row = RandomRow(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(LogSumExp(row));
}

// Building the tree of a question with `range(0)` labels of three tokens.
void MakeTree(benchmark::State& state) {
  Question question;
  question.suffix.assign(50, 1);
  for (Token label = 0; label < state.range(0); ++label) question.labels.push_back({label / 16, label / 4, label});
  for (auto _ : state) benchmark::DoNotOptimize(QuestionRun(question).tree().num_paths);
}

BENCHMARK(ReadRows)->Args({49152, 4})->Args({49152, 64})->Args({262144, 4})->Unit(benchmark::kMicrosecond);
BENCHMARK(LogSumExpOfRow)->Arg(49152)->Arg(262144)->Unit(benchmark::kMicrosecond);
BENCHMARK(MakeTree)->Arg(2)->Arg(64)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace winnow
