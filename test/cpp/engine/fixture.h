#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "fake_backend.h"

// An engine on the fake model, and what its client has received.
namespace winnow {

inline std::unique_ptr<FakeBackend> Fake(const std::string& path, int step = 64, int cells = 4096, int sequences = 64,
                                         const std::vector<int>& hidden_layers = {}) {
  ModelOptions options;
  options.hidden_layers = hidden_layers;
  options.paths = {path};
  options.context_size = 512;
  options.cache_tokens = cells;
  options.max_sequences = sequences;
  options.max_step_tokens = step;
  return std::make_unique<FakeBackend>(options);
}

inline std::vector<Token> Tokens(const std::string& text) { return {text.begin(), text.end()}; }

// What one client has received, and a way to wait for the last event of a request.
class Inbox {
 public:
  struct Received {
    std::map<int, std::string> texts;
    std::map<int, std::vector<Token>> tokens;
    std::map<int, CandidateEvent> candidates;
    std::vector<ScoreEvent> scores;
    std::map<int, std::vector<float>> vectors;
    std::map<std::string, std::vector<double>> probes;
    std::vector<CheckEvent> checks;
    FinishEvent finish;
    ErrorEvent error;
    int num_ends = 0;
    int num_tokens = 0;
  };

  Engine::Emit emit() {
    return [this](std::vector<Event> events) {
      std::lock_guard<std::mutex> lock(mutex_);
      ++num_batches;
      for (const Event& event : events) std::visit([this](const auto& e) { Take(e); }, event);
      ended_.notify_all();
    };
  }

  Received WaitFor(RequestId id) {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [&] { return received_[id].num_ends > 0; });
    return received_[id];
  }

  void WaitForTokens(RequestId id, int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [&] { return received_[id].num_tokens >= count; });
  }

  Received Peek(RequestId id) {
    std::lock_guard<std::mutex> lock(mutex_);
    return received_[id];
  }

  int num_batches = 0;

 private:
  void Take(const TokenEvent& event) {
    for (const ProbeValue& probe : event.probes) received_[event.request].probes[probe.name].push_back(probe.value);
    received_[event.request].texts[event.candidate] += event.text;
    received_[event.request].tokens[event.candidate].push_back(event.token);
    ++received_[event.request].num_tokens;
  }
  void Take(const CheckEvent& event) { received_[event.request].checks.push_back(event); }
  void Take(const CandidateEvent& event) { received_[event.request].candidates[event.candidate] = event; }
  void Take(const ScoreEvent& event) { received_[event.request].scores.push_back(event); }
  void Take(const VectorEvent& event) { received_[event.request].vectors[event.text] = event.values; }
  void Take(const FinishEvent& event) {
    received_[event.request].finish = event;
    ++received_[event.request].num_ends;
  }
  void Take(const ErrorEvent& event) {
    received_[event.request].error = event;
    ++received_[event.request].num_ends;
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<RequestId, Received> received_;
};

inline Request Greedy(const std::string& prompt, int max_tokens) {
  Request request;
  request.prompt = Tokens(prompt);
  request.num_candidates = 1;
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  request.sampling.temperature = 0;
  return request;
}

// The greedy text of the fake model, computed afresh for every token.
inline std::string Alone(const FakeBackend& backend, const std::string& prompt, int max_tokens) {
  std::vector<Token> tokens = Tokens(prompt);
  const bool has_start = backend.info().decoder_start >= 0;
  if (has_start) tokens.insert(tokens.begin(), backend.info().decoder_start);
  for (int i = 0; i < max_tokens; ++i) {
    std::vector<float> row = backend.RowBehind(tokens);
    row[FakeBackend::kEos] = -100;
    tokens.push_back(static_cast<Token>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt.size() + has_start), tokens.end()};
}

// log P of `label` behind `context`, from the fake model's own rows.
inline double LogprobOf(const FakeBackend& backend, std::vector<Token> context, const std::vector<Token>& label) {
  double sum = 0;
  for (Token token : label) {
    std::vector<float> row = backend.RowBehind(context);
    double total = 0;
    for (float logit : row) total += std::exp(static_cast<double>(logit));
    sum += row[token] - std::log(total);
    context.push_back(token);
  }
  return sum;
}

struct EngineTest : testing::Test {
  void Open(const std::string& path, int step = 64, int cells = 4096, int sequences = 64) {
    auto backend = Fake(path, step, cells, sequences);
    fake = backend.get();
    engine = std::make_unique<Engine>(std::move(backend));
    client = engine->OpenClient(inbox.emit());
  }

  Inbox::Received Run(Request request) { return inbox.WaitFor(engine->Submit(client, std::move(request))); }

  Inbox inbox;
  FakeBackend* fake = nullptr;
  std::unique_ptr<Engine> engine;  // Before the inbox goes.
  Engine::ClientId client = 0;
};

}  // namespace winnow
