#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fixture.h"

namespace winnow {
namespace {

struct Beam {
  std::vector<Token> tokens;
  double logprob = 0;
  double score = 0;
};

Request Search(const std::string& prompt, int num_beams, int max_tokens) {
  Request request;
  request.prompt = Tokens(prompt);
  request.num_candidates = num_beams;
  request.max_tokens = max_tokens;
  request.beam.num_beams = num_beams;
  return request;
}

// The search over the whole vocabulary, computed afresh for every text.
std::vector<Beam> Expected(const FakeBackend& backend, const std::string& prompt, const Request& request) {
  const int num_beams = request.beam.num_beams;
  auto best_first = [](const Beam& a, const Beam& b) { return a.logprob > b.logprob; };
  std::vector<Beam> running(1), finished;
  auto finish = [&](Beam beam) {
    beam.score = beam.logprob / std::pow(static_cast<double>(beam.tokens.size()), request.beam.length_penalty);
    finished.push_back(beam);
    std::stable_sort(finished.begin(), finished.end(), [](auto& a, auto& b) { return a.score > b.score; });
    if (static_cast<int>(finished.size()) > num_beams) finished.pop_back();
  };
  for (int length = 1; length <= request.max_tokens; ++length) {
    std::vector<Beam> all;
    for (const Beam& beam : running) {
      std::vector<Token> sequence = Tokens(prompt);
      sequence.insert(sequence.end(), beam.tokens.begin(), beam.tokens.end());
      for (Token token = 0; token < FakeBackend::kVocabularySize; ++token) {
        if (token == FakeBackend::kEos && length <= request.min_tokens) continue;
        Beam next = beam;
        next.tokens.push_back(token);
        next.logprob += LogprobOf(backend, sequence, {token});
        all.push_back(next);
      }
    }
    std::stable_sort(all.begin(), all.end(), best_first);
    running.clear();
    for (const Beam& next : all) {
      if (static_cast<int>(running.size()) == num_beams) break;
      next.tokens.back() == FakeBackend::kEos ? finish(next) : running.push_back(next);
    }
    if (length == request.max_tokens) std::for_each(running.begin(), running.end(), finish);
    if (static_cast<int>(finished.size()) == num_beams && request.beam.early_stopping) break;
  }
  return finished;
}

void ExpectTexts(const Inbox::Received& received, const std::vector<Beam>& expected) {
  ASSERT_EQ(received.candidates.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(received.tokens.at(static_cast<int>(i)), expected[i].tokens) << i;
    EXPECT_EQ(received.candidates.at(static_cast<int>(i)).num_tokens, static_cast<int>(expected[i].tokens.size()));
  }
}

struct BeamTest : EngineTest {
  void ExpectFullSearches() {
    for (int num_beams : {1, 3, 8}) {
      Request request = Search("hello", num_beams, 10);
      request.min_tokens = 2;
      ExpectTexts(Run(request), Expected(*fake, "hello", request));
      request.beam.length_penalty = 0;
      ExpectTexts(Run(request), Expected(*fake, "hello", request));
    }
  }
};

TEST_F(BeamTest, IsTheSearchOverTheWholeVocabulary) {
  Open("fake");
  ExpectFullSearches();
}

TEST_F(BeamTest, IsTheSearchOverTheWholeVocabularyWhereTextsEnd) {
  Open("fake-eos");
  ExpectFullSearches();
}

TEST_F(BeamTest, BeamsThatGiveWayGiveTheSameTexts) {
  Open("fake-eos-delay-1", /*step=*/5, /*cells=*/66, /*sequences=*/6);
  std::vector<RequestId> ids;
  std::vector<Request> requests;
  for (int i = 0; i < 6; ++i) {
    requests.push_back(Search("prompt " + std::to_string(i), 3 + i % 2, 12));
    ids.push_back(engine->Submit(client, requests.back()));
    Request urgent = Greedy("another " + std::to_string(i), 30);
    urgent.priority = 1;
    if (i > 0) inbox.WaitForTokens(ids[1], 1);  // The searches have begun.
    ids.push_back(engine->Submit(client, urgent));
  }
  for (int i = 0; i < 6; ++i) {
    const std::string prompt = "prompt " + std::to_string(i);
    ExpectTexts(inbox.WaitFor(ids[2 * i]), Expected(*fake, prompt, requests[i]));
    EXPECT_EQ(inbox.WaitFor(ids[2 * i + 1]).texts[0], Alone(*fake, "another " + std::to_string(i), 30));
  }
  EXPECT_GT(engine->stats().preemptions, 0);
  EXPECT_EQ(engine->stats().used_cells, engine->stats().idle_cells);
}

TEST_F(BeamTest, BeamsShareTheirPromptAndBeginnings) {
  Open("fake");
  Request request = Search(std::string(100, 'x'), 8, 20);
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.finish.usage.evaluated_prompt_tokens, 100);
  EXPECT_EQ(received.finish.usage.recomputed_tokens, 0);
  EXPECT_EQ(received.finish.usage.generated_tokens, 8 * 19);  // In rounds that went on; the last ends the texts.
  EXPECT_LE(engine->stats().used_cells, 100 + 8 * 20);
}

TEST_F(BeamTest, BeamsRunOnAPinnedPrefix) {
  Open("fake");
  Request pin;
  pin.prompt = Tokens("a shared beginning ");
  pin.pin = true;
  const RequestId prefix = engine->Submit(client, pin);
  inbox.WaitFor(prefix);
  Request request = Search("", 4, 8);
  request.parent = prefix;
  ExpectTexts(Run(request), Expected(*fake, "a shared beginning ", request));
}

TEST_F(BeamTest, ABeamSearchEndsForItsReason) {
  Open("fake-eos");
  Request request = Search("hello", 3, 40);
  EXPECT_EQ(Run(request).candidates[0].reason, FinishReason::kEos);
  request.ignore_eos = true;
  request.max_tokens = 5;
  EXPECT_EQ(Run(request).candidates[0].reason, FinishReason::kLength);
  request.stop_tokens = Tokens("abcdefghijklmnopqrstuvwxyz ");
  Inbox::Received received = Run(request);
  EXPECT_EQ(received.candidates[0].reason, FinishReason::kStop);
  EXPECT_EQ(received.texts[0], "");
}

TEST_F(BeamTest, BeamsThatCanNeverFitAreRefused) {
  Open("fake", /*step=*/16, /*cells=*/60, /*sequences=*/6);
  EXPECT_EQ(Run(Search("hello", 4, 20)).error.code, "ERR_CACHE_TOO_SMALL");
  EXPECT_EQ(Run(Search("hello", 12, 2)).error.code, "ERR_CACHE_TOO_SMALL");
  EXPECT_EQ(Run(Search("hello", 4, 10)).error.code, "");
}

}  // namespace
}  // namespace winnow
