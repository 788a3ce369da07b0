// The engine without Node: what the scenario node-overhead compares the package with.
//
//   engine_alone MODEL.gguf THREADS CONTEXT_SIZE CACHE_TOKENS
//
// Standard input has commands, each answered by one line of JSON on standard output once it is done:
//   run MAX_TOKENS COUNT    then COUNT lines of token ids: prompts, submitted at once, each continued greedily
//   logprobs FROM           then a line of token ids: log P of each from FROM on, given all before it
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"

namespace winnow {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

struct Totals {
  int generated_tokens = 0;
  int evaluated_tokens = 0;
  double step_seconds = 0;
};

// The only client of the engine: collects the events of what was submitted until the last request ends.
class Client {
 public:
  explicit Client(Engine& engine)
      : engine_(engine), id_(engine.OpenClient([this](std::vector<Event> events) { Receive(events); })) {}

  ~Client() { engine_.Stop(); }  // It emits to this.

  void Submit(Request request) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ++num_open_;
    }
    engine_.Submit(id_, std::move(request));
  }

  // Waits for all that was submitted. Throws Error where a request failed.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return num_open_ == 0; });
    if (!failure_.empty()) throw Error("ERR_ENGINE", failure_);
  }

  // Since the last call. Only behind Wait.
  Totals TakeTotals() { return std::exchange(totals_, {}); }
  std::vector<ScoreEvent> TakeScores() { return std::exchange(scores_, {}); }

 private:
  // Engine thread.
  void Receive(const std::vector<Event>& events) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Event& event : events) {
      if (const auto* finish = std::get_if<FinishEvent>(&event)) Finish(*finish);
      if (const auto* score = std::get_if<ScoreEvent>(&event)) scores_.push_back(*score);
      if (const auto* error = std::get_if<ErrorEvent>(&event)) {
        failure_ = error->code + ": " + error->message;
        --num_open_;
      }
    }
    if (num_open_ == 0) all_done_.notify_one();
  }

  void Finish(const FinishEvent& finish) {
    totals_.generated_tokens += finish.usage.generated_tokens;
    totals_.evaluated_tokens += finish.usage.evaluated_prompt_tokens;
    totals_.step_seconds += (finish.timings.prefill + finish.timings.generate + finish.timings.score) / 1000;
    --num_open_;
  }

  Engine& engine_;
  std::mutex mutex_;
  std::condition_variable all_done_;
  int num_open_ = 0;
  Totals totals_;
  std::vector<ScoreEvent> scores_;
  std::string failure_;
  Engine::ClientId id_;  // Last: its events may come at once.
};

std::vector<Token> ReadTokens() {
  std::string line;
  std::getline(std::cin, line);
  std::istringstream stream(line);
  return {std::istream_iterator<Token>(stream), std::istream_iterator<Token>()};
}

Request GreedyRequest(std::vector<Token> prompt, int max_tokens) {
  Request request;
  request.prompt = std::move(prompt);
  request.num_candidates = 1;
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  request.sampling.temperature = 0;
  return request;
}

void RunRequests(Engine& engine, Client& client, int max_tokens, int count) {
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) requests.push_back(GreedyRequest(ReadTokens(), max_tokens));
  const int64_t steps = engine.stats().steps;
  const Clock::time_point start = Clock::now();
  for (Request& request : requests) client.Submit(std::move(request));
  const Clock::time_point submitted = Clock::now();
  client.Wait();
  const double seconds = Seconds(Clock::now() - start);
  const Totals totals = client.TakeTotals();
  std::printf(
      "{\"seconds\":%.6f,\"stepSeconds\":%.6f,\"steps\":%lld,\"submitMs\":%.4f,\"generatedTokens\":%d,"
      "\"evaluatedTokens\":%d}\n",
      seconds, totals.step_seconds, static_cast<long long>(engine.stats().steps - steps),
      1000 * Seconds(submitted - start), totals.generated_tokens, totals.evaluated_tokens);
}

// Every token is the label of a question whose suffix is what stands between it and `from`.
Request LogprobRequest(const std::vector<Token>& tokens, int from) {
  Request request;
  request.prompt.assign(tokens.begin(), tokens.begin() + from);
  for (size_t i = from; i < tokens.size(); ++i) {
    request.questions.push_back({{tokens.begin() + from, tokens.begin() + i}, {{tokens[i]}}});
  }
  return request;
}

void ReadLogprobs(Client& client, int from) {
  client.Submit(LogprobRequest(ReadTokens(), from));
  client.Wait();
  client.TakeTotals();
  const std::vector<ScoreEvent> scores = client.TakeScores();
  std::vector<double> logprobs(scores.size());
  for (const ScoreEvent& score : scores) logprobs[score.question] = score.answer.labels[0].logprob;
  for (size_t i = 0; i < logprobs.size(); ++i) std::printf("%s%.8f", i == 0 ? "[" : ",", logprobs[i]);
  std::printf("]\n");
}

void Serve(Engine& engine) {
  Client client(engine);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream stream(line);
    std::string command;
    int first = 0, count = 0;
    stream >> command >> first >> count;
    if (command == "run") RunRequests(engine, client, first, count);
    if (command == "logprobs") ReadLogprobs(client, first);
    std::fflush(stdout);
  }
}

ModelOptions ToOptions(char** arguments) {
  ModelOptions options;
  options.paths = {arguments[1]};
  options.threads = std::atoi(arguments[2]);
  options.context_size = std::atoi(arguments[3]);
  options.cache_tokens = std::atoi(arguments[4]);
  return options;
}

}  // namespace
}  // namespace winnow

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "engine_alone MODEL.gguf THREADS CONTEXT_SIZE CACHE_TOKENS < commands\n");
    return 2;
  }
  try {
    winnow::Engine engine(winnow::MakeBackend(winnow::ToOptions(arguments)));
    const winnow::ModelInfo& info = engine.info();
    std::printf("{\"vocabularySize\":%d,\"threads\":%d,\"kernels\":\"%s\"}\n", info.vocabulary_size, info.threads,
                info.kernels.c_str());
    std::fflush(stdout);
    winnow::Serve(engine);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engine_alone: %s\n", error.what());
    return 1;
  }
}
