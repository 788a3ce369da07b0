#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/command_queue.h"
#include "engine/registry.h"
#include "fake_backend.h"
#include "fixture.h"

namespace winnow {
namespace {

TEST_F(EngineTest, AGreedyTextIsTheModelsOwn) {
  Open("fake");
  Inbox::Received received = Run(Greedy("hello", 20));
  EXPECT_EQ(received.texts[0], Alone(*fake, "hello", 20));
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kLength);
  EXPECT_EQ(received.finish.usage.generated_tokens, 20);
  EXPECT_EQ(received.num_ends, 1);
}

TEST_F(EngineTest, ManyRequestsAtOnceGetTheTextsTheyGetAlone) {
  Open("fake", /*step=*/16, /*cells=*/400, /*sequences=*/12);
  std::map<RequestId, std::string> prompts;
  for (int i = 0; i < 60; ++i) {
    std::string prompt = "prompt number " + std::to_string(i * i) + " of many";
    prompts[engine->Submit(client, Greedy(prompt, 8 + i % 5))] = prompt;
  }
  for (auto& [id, prompt] : prompts) {
    Inbox::Received received = inbox.WaitFor(id);
    EXPECT_EQ(received.texts[0], Alone(*fake, prompt, received.finish.usage.generated_tokens));
  }
}

TEST_F(EngineTest, AStopStringEndsTheTextBeforeIt) {
  Open("fake");
  std::string text = Alone(*fake, "hello", 20);
  Request request = Greedy("hello", 20);
  request.stops = {text.substr(6, 3)};
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.texts[0], text.substr(0, text.find(request.stops[0])));
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kStop);
  EXPECT_EQ(received.candidates[0].stop, request.stops[0]);
}

TEST_F(EngineTest, TheLastTokenBringsTheTextThatMightHaveBecomeAStopString) {
  Open("fake");
  std::string text = Alone(*fake, "hello", 20);
  Request request = Greedy("hello", 20);
  request.stops = {text.substr(17) + '#'};
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.texts[0], text);
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kLength);
}

TEST_F(EngineTest, AStopStringBeforeMinTokensIsText) {
  Open("fake");
  std::string text = Alone(*fake, "hello", 20);
  Request request = Greedy("hello", 20);
  request.stops = {text.substr(3, 2)};
  request.min_tokens = 12;
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.texts[0].substr(0, 12), text.substr(0, 12));
  EXPECT_GE(received.candidates[0].num_tokens, 12);
}

TEST_F(EngineTest, AStopTokenIsNotPartOfTheText) {
  Open("fake");
  std::string text = Alone(*fake, "hello", 20);
  Request request = Greedy("hello", 20);
  request.stop_tokens = {text[5]};
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.texts[0], text.substr(0, text.find(text[5])));
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kStop);
}

TEST_F(EngineTest, TheEndOfTextEndsACandidateUnlessItIsIgnored) {
  Open("fake-eos");
  Request request = Greedy("hello", 200);
  request.ignore_eos = false;
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kEos);
  EXPECT_LT(received.candidates[0].num_tokens, 200);
  request.min_tokens = received.candidates[0].num_tokens + 5;
  EXPECT_GT(Run(request).candidates[0].num_tokens, received.candidates[0].num_tokens);
  EXPECT_EQ(Run(Greedy("hello", 200)).candidates[0].reason, FinishReason::kLength);
}

TEST_F(EngineTest, AnswersAreTheLogProbabilitiesBehindEveryCandidate) {
  Open("fake", /*step=*/9);
  Request request = Greedy("context ", 7);
  request.num_candidates = 4;
  request.sampling.temperature = 1;
  request.sampling.seed = 5;
  request.questions = {{Tokens(" ok?"), {Tokens("yes"), Tokens("yet"), Tokens("n")}},
                       {{}, {Tokens("a"), Tokens("bc")}}};
  Inbox::Received received = Run(request);
  ASSERT_EQ(received.scores.size(), 8u);
  for (const ScoreEvent& score : received.scores) {
    std::vector<Token> context = Tokens("context ");
    const std::vector<Token>& candidate = received.tokens[score.candidate];
    context.insert(context.end(), candidate.begin(), candidate.end());
    const Question& question = request.questions[score.question];
    context.insert(context.end(), question.suffix.begin(), question.suffix.end());
    for (size_t i = 0; i < question.labels.size(); ++i) {
      EXPECT_NEAR(score.answer.labels[i].logprob, LogprobOf(*fake, context, question.labels[i]), 1e-4);
    }
  }
  // t_q: 4 tokens of suffix and the inner nodes y, ye; then b.
  EXPECT_EQ(received.finish.usage.question_tokens, 4 * (4 + 2 + 1));
  EXPECT_EQ(received.finish.usage.evaluated_prompt_tokens, 8 + 4 * (1 + 7));
}

TEST_F(EngineTest, QuestionsBehindAnEndOfTextDoNotSeeIt) {
  Open("fake-eos");
  Request request = Greedy("hello", 200);
  request.ignore_eos = false;
  request.questions = {{{}, {Tokens("x"), Tokens("yz")}}};
  Inbox::Received received = Run(request);
  ASSERT_EQ(received.candidates[0].reason, FinishReason::kEos);
  ASSERT_EQ(received.scores.size(), 1u);
  std::vector<Token> context = Tokens("hello" + received.texts[0]);
  EXPECT_NEAR(received.scores[0].answer.labels[0].logprob, LogprobOf(*fake, context, Tokens("x")), 1e-4);
  EXPECT_NEAR(received.scores[0].answer.labels[1].logprob, LogprobOf(*fake, context, Tokens("yz")), 1e-4);
}

TEST_F(EngineTest, APrefixServesManyRequestsAndGoesWhenItIsReleased) {
  Open("fake");
  Request pin;
  pin.prompt = Tokens("a long shared beginning ");
  pin.pin = true;
  RequestId prefix = engine->Submit(client, pin);
  inbox.WaitFor(prefix);
  for (int i = 0; i < 3; ++i) {
    Request request = Greedy("", 6);
    request.parent = prefix;
    Inbox::Received received = Run(request);
    EXPECT_EQ(received.texts[0], Alone(*fake, "a long shared beginning ", 6));
    EXPECT_EQ(received.finish.usage.evaluated_prompt_tokens, 0);
  }
  EXPECT_EQ(engine->stats().pinned_cells, 24);
  engine->Release(prefix);
  Request late = Greedy("", 6);
  late.parent = prefix;
  EXPECT_EQ(Run(late).error.code, "ERR_PREFIX_CLOSED");
  EXPECT_EQ(engine->stats().pinned_cells, 0);
}

TEST_F(EngineTest, RefusesWhatItCannotServe) {
  Open("fake");
  Request request = Greedy(std::string(600, 'x'), 5);
  EXPECT_EQ(Run(request).error.code, "ERR_CONTEXT_OVERFLOW");
  request = Greedy("", 5);
  EXPECT_EQ(Run(request).error.code, "ERR_PROMPT_EMPTY");
  request = Greedy("x", 5);
  request.prompt = {FakeBackend::kVocabularySize};
  EXPECT_EQ(Run(request).error.code, "ERR_OPTION_VALUE");
}

TEST_F(EngineTest, CutsMaxTokensToTheContext) {
  Open("fake");
  Inbox::Received received = Run(Greedy(std::string(500, 'x'), 100));
  EXPECT_EQ(received.finish.usage.generated_tokens, 12);
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kLength);
}

TEST_F(EngineTest, RefusesForksWhereTheModelHasNone) {
  Open("fake-no-fork");
  Request request = Greedy("x", 5);
  request.num_candidates = 2;
  EXPECT_EQ(Run(request).error.code, "ERR_UNSUPPORTED");
  EXPECT_EQ(Run(Greedy("x", 5)).texts[0], Alone(*fake, "x", 5));
}

TEST_F(EngineTest, ACancelledRequestFallsSilentAndGivesBackItsCells) {
  Open("fake-delay-1");
  RequestId id = engine->Submit(client, Greedy("hello", 400));
  inbox.WaitForTokens(id, 3);
  engine->Cancel(id);
  engine->Cancel(id);
  Inbox::Received other = Run(Greedy("other", 3));
  EXPECT_EQ(other.num_ends, 1);
  EXPECT_EQ(inbox.Peek(id).num_ends, 0);
  EXPECT_LT(inbox.Peek(id).num_tokens, 400);
  EngineStats stats = engine->stats();
  EXPECT_EQ(stats.running, 0);
  EXPECT_EQ(stats.used_cells, stats.idle_cells);
}

TEST_F(EngineTest, AFailedStepIsAnErrorOfItsRequestsAndTheEngineGoesOn) {
  Open("fake-fail-at-3");
  EXPECT_EQ(Run(Greedy("hello", 20)).error.code, "ERR_COMPUTE");
  EXPECT_EQ(Run(Greedy("hello", 20)).texts[0], Alone(*fake, "hello", 20));
}

TEST_F(EngineTest, ClosingAClientWithDrainLetsItsRequestsEnd) {
  Open("fake-delay-1");
  RequestId id = engine->Submit(client, Greedy("hello", 30));
  std::condition_variable closed;
  std::mutex mutex;
  bool is_closed = false;
  engine->CloseClient(client, /*drain=*/true, [&] {
    std::lock_guard<std::mutex> lock(mutex);
    is_closed = true;
    closed.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  closed.wait(lock, [&] { return is_closed; });
  EXPECT_EQ(inbox.Peek(id).finish.usage.generated_tokens, 30);
}

TEST_F(EngineTest, ClosingAClientLeavesTheOthersAlone) {
  Open("fake-delay-1");
  Inbox other_inbox;
  Engine::ClientId other = engine->OpenClient(other_inbox.emit());
  RequestId mine = engine->Submit(client, Greedy("mine", 300));
  RequestId theirs = engine->Submit(other, Greedy("theirs", 30));
  inbox.WaitForTokens(mine, 1);
  engine->CloseClient(client, /*drain=*/false, [] {});
  EXPECT_EQ(other_inbox.WaitFor(theirs).texts[0], Alone(*fake, "theirs", 30));
  EXPECT_EQ(inbox.Peek(mine).num_ends, 0);
  engine.reset();  // Before other_inbox.
}

TEST_F(EngineTest, EmitsAtMostOneBatchPerStep) {
  Open("fake");
  for (int i = 0; i < 8; ++i) engine->Submit(client, Greedy("prompt " + std::to_string(i), 20));
  Run(Greedy("last", 30));
  EngineStats stats = engine->stats();
  EXPECT_LE(stats.callbacks, stats.steps);
  EXPECT_EQ(stats.submitted_requests, 9);
}

TEST_F(EngineTest, ATimeoutEndsARunningRequestAfterItsTokens) {
  Open("fake-delay-2");
  Request request = Greedy("hello", 480);
  request.timeout_ms = 60;
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.error.code, "ERR_TIMEOUT");
  ASSERT_EQ(received.error.facts.size(), 2u);
  EXPECT_EQ(received.error.facts[0], (std::pair<std::string, double>("timeoutMs", 60)));
  EXPECT_EQ(received.error.facts[1].second, received.num_tokens);
  EXPECT_EQ(received.texts[0], Alone(*fake, "hello", 480).substr(0, received.texts[0].size()));
  EXPECT_EQ(Run(Greedy("hello", 5)).error.code, "");
}

TEST_F(EngineTest, ATimeoutEndsARequestThatWaits) {
  Open("fake-delay-2", /*step=*/64, /*cells=*/64, /*sequences=*/4);
  RequestId running = engine->Submit(client, Greedy("hello", 55));
  Request request = Greedy("other", 50);
  request.timeout_ms = 20;
  EXPECT_EQ(Run(request).error.code, "ERR_TIMEOUT");
  EXPECT_EQ(inbox.WaitFor(running).finish.usage.generated_tokens, 55);
}

Request Encode(const std::vector<std::string>& texts, Pooling pooling = Pooling::kMean) {
  Request request;
  for (const std::string& text : texts) request.texts.push_back(Tokens(text));
  request.pooling = pooling;
  return request;
}

TEST_F(EngineTest, AnEncoderGivesOneVectorPerText) {
  Open("fake-encoder", /*step=*/16);
  Inbox::Received received = Run(Encode({"one", "two and three", "four", "five"}, Pooling::kCls));
  ASSERT_EQ(received.vectors.size(), 4u);
  EXPECT_EQ(received.vectors[1], fake->StateOf(Tokens("two and three")));
  EXPECT_EQ(received.vectors[3], fake->StateOf(Tokens("five")));
  EXPECT_EQ(received.finish.usage.prompt_tokens, 24);
  EXPECT_EQ(received.finish.usage.evaluated_prompt_tokens, 24);
  EXPECT_EQ(fake->num_runs(), 2);  // 3 + 13, 4 + 4
}

TEST_F(EngineTest, AGeneratingModelEncodesInPiecesBesideWhatItGenerates) {
  Open("fake", /*step=*/8);
  RequestId text = engine->Submit(client, Greedy("hello", 20));
  RequestId encoded = engine->Submit(client, Encode({"a text that is longer than a step", "short"}, Pooling::kLast));
  EXPECT_EQ(inbox.WaitFor(encoded).vectors[0], fake->StateOf(Tokens("a text that is longer than a step")));
  EXPECT_EQ(inbox.WaitFor(text).texts[0], Alone(*fake, "hello", 20));
}

TEST_F(EngineTest, StatesArePooledAndNormalizedAsTheRequestSays) {
  Open("fake", /*step=*/8);
  std::vector<float> first = fake->StateOf(Tokens("a")), last = fake->StateOf(Tokens("ab"));
  Request request = Encode({"ab"}, Pooling::kMean);
  EXPECT_FLOAT_EQ(Run(request).vectors[0][1], (first[1] + last[1]) / 2);
  request.normalize = true;
  const std::vector<float> vector = Run(request).vectors[0];
  float squares = 0;
  for (float value : vector) squares += value * value;
  EXPECT_FLOAT_EQ(squares, 1);
}

TEST_F(EngineTest, AClassifierGivesItsScores) {
  Open("fake-classes-3");
  Inbox::Received received = Run(Encode({"good", "bad"}));
  EXPECT_EQ(received.vectors[0].size(), 3u);
  EXPECT_EQ(received.vectors[1], fake->StateOf(Tokens("bad")));
}

TEST_F(EngineTest, TextsThatCannotBeEncodedAreRefused) {
  Open("fake-encoder", /*step=*/16);
  EXPECT_EQ(Run(Encode({"ok", "a text of more than 16 tokens"})).error.code, "ERR_CONTEXT_OVERFLOW");
  EXPECT_EQ(Run(Encode({""})).error.code, "ERR_PROMPT_EMPTY");
  Request unknown;
  unknown.texts = {{1000}};
  EXPECT_EQ(Run(unknown).error.code, "ERR_OPTION_VALUE");
  EXPECT_EQ(Run(Greedy("hello", 5)).error.code, "ERR_UNSUPPORTED");
  EXPECT_EQ(Run(Encode({"ok"})).vectors.size(), 1u);  // The engine goes on.
}

TEST_F(EngineTest, AFailedEncodingFailsItsRequestsAlone) {
  Open("fake-encoder-fail-at-1", /*step=*/8);
  EXPECT_EQ(Run(Encode({"one"})).error.code, "ERR_COMPUTE");
  EXPECT_EQ(Run(Encode({"two"})).vectors.size(), 1u);
}

TEST_F(EngineTest, AnEncodingEndsAtItsDeadline) {
  Open("fake-encoder-delay-20", /*step=*/4);
  Request request = Encode(std::vector<std::string>(200, "text"));
  request.timeout_ms = 50;
  ErrorEvent error = Run(request).error;
  EXPECT_EQ(error.code, "ERR_TIMEOUT");
  ASSERT_FALSE(error.facts.empty());
  EXPECT_EQ(error.facts[0].second, 50);
}

TEST_F(EngineTest, ACancelledEncodingLeavesNothingBehind) {
  Open("fake-encoder-delay-1", /*step=*/4);
  RequestId id = engine->Submit(client, Encode(std::vector<std::string>(500, "text")));
  engine->Cancel(id);
  Run(Encode({"last"}));
  EXPECT_EQ(inbox.Peek(id).num_ends, 0);
  EXPECT_EQ(engine->stats().running, 0);
  EXPECT_EQ(engine->stats().waiting, 0);
}

struct ProbeTest : EngineTest {
  void OpenWith(const std::vector<int>& hidden_layers) {
    auto backend = Fake("fake", /*step=*/8, /*cells=*/4096, /*sequences=*/64, hidden_layers);
    fake = backend.get();
    engine = std::make_unique<Engine>(std::move(backend));
    client = engine->OpenClient(inbox.emit());
  }

  // What a probe of the second value, on layer `layer` and with bias 1, reads behind `text`.
  double Read(const std::string& text, int layer) const {
    return static_cast<double>(fake->StateOf(Tokens(text))[1] * static_cast<float>(layer + 1)) + 1;
  }

  static Request Probed(const std::string& prompt, int max_tokens) {
    Request request = Greedy(prompt, max_tokens);
    request.probes = {{"low", 1, {0, 1, 0, 0}, 1}, {"high", 3, {0, 1, 0, 0}, 1}};
    return request;
  }
};

TEST_F(ProbeTest, EveryTokenComesWithWhatTheProbesReadBeforeIt) {
  OpenWith({1, 3});
  Inbox::Received received = Run(Probed("hello, probe", 5));
  std::string text = "hello, probe";
  ASSERT_EQ(received.probes["low"].size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(received.probes["low"][i], Read(text, 1));
    EXPECT_EQ(received.probes["high"][i], Read(text, 3));
    text += received.texts[0][i];
  }
  EXPECT_EQ(received.texts[0], Alone(*fake, "hello, probe", 5));
  EXPECT_EQ(received.finish.usage.evaluated_prompt_tokens, 12);  // Reading costs no token.
}

TEST_F(ProbeTest, APinnedPrefixKeepsTheStateOfItsLastRow) {
  OpenWith({1, 3});
  Request pin;
  pin.prompt = Tokens("hello");
  pin.pin = true;
  RequestId prefix = engine->Submit(client, pin);
  inbox.WaitFor(prefix);
  Request request = Probed("", 1);
  request.parent = prefix;
  EXPECT_EQ(Run(request).probes["low"], std::vector<double>{Read("hello", 1)});
}

TEST_F(ProbeTest, ProbesThatFitNoStateAreRefused) {
  OpenWith({1});
  EXPECT_EQ(Run(Probed("hello", 1)).error.code, "ERR_OPTION_VALUE");
  Request request = Greedy("hello", 1);
  request.probes = {{"short", 1, {1, 2}, 0}};
  EXPECT_EQ(Run(request).error.code, "ERR_OPTION_VALUE");
}

// The greedy text of the fake encoder–decoder model for a source.
std::string AloneFor(const std::string& source, int max_tokens) {
  auto backend = Fake("fake-seq2seq");
  backend->SetSource(Tokens(source));
  return Alone(*backend, std::string(), max_tokens);
}

TEST_F(EngineTest, AnEncoderDecoderModelAnswersOneSourceAfterTheOther) {
  Open("fake-seq2seq", /*step=*/16);
  std::map<RequestId, std::string> sources;
  for (const char* source : {"one", "two", "three", "one", "four"}) {
    sources[engine->Submit(client, Greedy(source, 6))] = source;
  }
  for (auto& [id, source] : sources) {
    Inbox::Received received = inbox.WaitFor(id);
    EXPECT_EQ(received.texts[0], AloneFor(source, 6));
    EXPECT_EQ(received.finish.usage.prompt_tokens, static_cast<int>(source.size()) + 1);
  }
}

TEST_F(EngineTest, CandidatesOfOneSourceRunTogether) {
  Open("fake-seq2seq", /*step=*/16);
  Request request = Greedy("source", 6);
  request.num_candidates = 3;
  Inbox::Received received = Run(request);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(received.texts[i], AloneFor("source", 6));
}

TEST_F(EngineTest, AnEncoderDecoderModelRefusesPrefixesAndSourcesLongerThanAStep) {
  Open("fake-seq2seq", /*step=*/16);
  Request pin;
  pin.prompt = Tokens("hello");
  pin.pin = true;
  EXPECT_EQ(Run(pin).error.code, "ERR_UNSUPPORTED");
  EXPECT_EQ(Run(Greedy("more than sixteen tokens", 6)).error.code, "ERR_CONTEXT_OVERFLOW");
  EXPECT_EQ(Run(Greedy("hello", 6)).texts[0], AloneFor("hello", 6));
}

Engine::SaveOutcome Save(Engine& engine, RequestId prefix) {
  std::promise<Engine::SaveOutcome> promise;
  engine.Save(prefix, [&](Engine::SaveOutcome outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

Request PinOf(const std::string& prompt) {
  Request request;
  request.prompt = Tokens(prompt);
  request.pin = true;
  return request;
}

TEST_F(EngineTest, ASavedPrefixComesBackInAnotherEngineWithoutEvaluation) {
  Open("fake");
  RequestId prefix = engine->Submit(client, PinOf("once upon a time"));
  inbox.WaitFor(prefix);
  std::shared_ptr<const SavedPrefix> saved = std::get<0>(Save(*engine, prefix));

  Inbox other_inbox;
  Engine other(Fake("fake"));
  Engine::ClientId other_client = other.OpenClient(other_inbox.emit());
  Request restored = PinOf("once upon a time");
  restored.saved = saved;
  RequestId id = other.Submit(other_client, std::move(restored));
  EXPECT_EQ(other_inbox.WaitFor(id).finish.usage.evaluated_prompt_tokens, 0);
  Request behind = Greedy("", 6);
  behind.parent = id;
  RequestId answer = other.Submit(other_client, std::move(behind));
  EXPECT_EQ(other_inbox.WaitFor(answer).texts[0], Alone(*fake, "once upon a time", 6));
  EXPECT_EQ(other.stats().evaluated_tokens, 5);  // The last token of six is never evaluated.
}

TEST_F(EngineTest, OnlyAPinnedPrefixCanBeSaved) {
  Open("fake");
  RequestId prefix = engine->Submit(client, PinOf("once"));
  inbox.WaitFor(prefix);
  engine->Release(prefix);
  EXPECT_EQ(std::get<ErrorEvent>(Save(*engine, prefix)).code, "ERR_PREFIX_CLOSED");
}

TEST_F(EngineTest, WhatIsNoStateOfThisModelIsRefusedAndOthersGoOn) {
  Open("fake");
  auto wrong_row = std::make_shared<SavedPrefix>();
  wrong_row->row.resize(7);
  auto wrong_state = std::make_shared<SavedPrefix>();
  wrong_state->row.resize(FakeBackend::kVocabularySize);
  wrong_state->state.resize(3);
  for (const auto& saved : {wrong_row, wrong_state}) {
    RequestId other = engine->Submit(client, Greedy("hello", 6));
    Request restored = PinOf("once upon a time");
    restored.saved = saved;
    EXPECT_EQ(Run(std::move(restored)).error.code, "ERR_PREFIX_FILE");
    EXPECT_EQ(inbox.WaitFor(other).texts[0], Alone(*fake, "hello", 6));
    EXPECT_EQ(engine->stats().pinned_cells, 0);
  }
}

TEST(EngineQueue, RefusesAtOnceWhatIsOneTooMany) {
  Inbox inbox;
  Engine engine(Fake("fake-delay-2", /*step=*/64, /*cells=*/64, /*sequences=*/4), EngineOptions{/*max_queue=*/3});
  Engine::ClientId client = engine.OpenClient(inbox.emit());
  RequestId running = engine.Submit(client, Greedy("hello", 50));
  inbox.WaitForTokens(running, 1);
  std::vector<RequestId> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(engine.Submit(client, Greedy("waits", 50)));
  try {
    engine.Submit(client, Greedy("one more", 50));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "ERR_QUEUE_FULL");
    EXPECT_EQ(error.facts(), (ErrorFacts{{"depth", 3}, {"maxQueue", 3}}));
  }
  engine.Cancel(waiting[1]);
  EXPECT_EQ(inbox.WaitFor(waiting[0]).error.code, "");
  EXPECT_EQ(inbox.WaitFor(waiting[2]).error.code, "");
  for (int i = 0; i < 3; ++i) waiting.push_back(engine.Submit(client, Greedy("again", 3)));
  EXPECT_EQ(inbox.WaitFor(waiting.back()).error.code, "");
}

TEST(CommandQueue, WakesAtItsTime) {
  CommandQueue queue;
  EXPECT_TRUE(queue.Drain(CommandQueue::Time::min()).empty());
  auto wake = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  EXPECT_TRUE(queue.Drain(wake).empty());
  EXPECT_GE(std::chrono::steady_clock::now(), wake);
  queue.Push([] {});
  EXPECT_EQ(queue.Drain(CommandQueue::Time::max()).size(), 1u);
}

TEST_F(EngineTest, StatsTellBatchesTimesAndPreemptions) {
  Open("fake", /*step=*/64, /*cells=*/100, /*sequences=*/16);
  std::vector<RequestId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(engine->Submit(client, Greedy(std::string(5, 'a' + i), 60)));
  int recomputed = 0;
  for (RequestId id : ids) recomputed += inbox.WaitFor(id).finish.usage.recomputed_tokens;
  EngineStats stats = engine->stats();
  EXPECT_GT(stats.preemptions, 0);
  EXPECT_EQ(stats.recomputed_tokens, recomputed);
  EXPECT_EQ(stats.first_token.count, 6);
  EXPECT_EQ(stats.inter_token.count, 6 * 59);
  EXPECT_GE(stats.inter_token.max, stats.inter_token.p50);
  EXPECT_GT(stats.times.generate, 0);
  int64_t steps = 0;
  for (int64_t count : stats.batch_sizes) steps += count;
  EXPECT_GT(steps, 0);
  EXPECT_LE(steps, stats.steps);
  EXPECT_GT(stats.batch_sizes[1], 0);  // Two or three candidates ran together.
}

TEST_F(EngineTest, NamespacesDoNotShareAPrefix) {
  Open("fake");
  Request request = Greedy("a long shared beginning", 3);
  request.space = "ours";
  Run(request);
  EXPECT_EQ(Run(request).finish.usage.cached_tokens, 22);
  request.space = "theirs";
  EXPECT_EQ(Run(request).finish.usage.cached_tokens, 0);
}

// For the thread sanitizer: producers that submit, cancel, open and close at once.
TEST(EngineThreads, ManyProducersAtOnce) {
  auto engine = OpenEngine("threads", [] { return Fake("fake", /*step=*/32, /*cells=*/600, /*sequences=*/16); });
  std::vector<std::thread> producers;
  for (int t = 0; t < 8; ++t) {
    producers.emplace_back([t, engine] {
      std::mt19937 random(t);
      Inbox inbox;
      Engine::ClientId client = engine->OpenClient(inbox.emit());
      for (int i = 0; i < 40; ++i) {
        Request request = Greedy("thread " + std::to_string(t) + " request " + std::to_string(i), 1 + random() % 12);
        request.num_candidates = 1 + static_cast<int>(random() % 3);
        request.priority = static_cast<double>(random() % 3);
        request.space = std::string(1, static_cast<char>('a' + random() % 2));
        if (random() % 8 == 0) request.timeout_ms = 1 + random() % 3;
        RequestId id = engine->Submit(client, request);
        if (random() % 4 == 0) {
          engine->Cancel(id);
        } else {
          Inbox::Received received = inbox.WaitFor(id);
          EXPECT_EQ(received.num_ends, 1);
          EXPECT_TRUE(received.error.code.empty() || (request.timeout_ms > 0 && received.error.code == "ERR_TIMEOUT"));
        }
        engine->stats();
      }
      std::mutex mutex;
      std::condition_variable closed;
      bool is_closed = false;
      engine->CloseClient(client, /*drain=*/false, [&] {
        std::lock_guard<std::mutex> lock(mutex);
        is_closed = true;
        closed.notify_one();
      });
      std::unique_lock<std::mutex> lock(mutex);
      closed.wait(lock, [&] { return is_closed; });
    });
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(engine->stats().running, 0);
}

TEST(EngineRegistry, EqualKeysShareAnEngineAndTheLastOwnerEndsIt) {
  int loads = 0;
  auto load = [&loads] {
    ++loads;
    return Fake("fake");
  };
  auto first = OpenEngine("shared", load);
  EXPECT_EQ(OpenEngine("shared", load), first);
  EXPECT_EQ(loads, 1);
  first.reset();
  OpenEngine("shared", load);
  EXPECT_EQ(loads, 2);
}

TEST(EngineRegistry, AFailedLoadCanBeTriedAgain) {
  EXPECT_ANY_THROW(OpenEngine("failing", [] { return Fake("fake-no-load"); }));
  EXPECT_NE(OpenEngine("failing", [] { return Fake("fake"); }), nullptr);
}

}  // namespace
}  // namespace winnow
