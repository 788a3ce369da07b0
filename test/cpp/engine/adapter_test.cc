#include <future>
#include <limits>

#include "fixture.h"

namespace winnow {
namespace {

Request With(std::vector<RequestAdapter> adapters, Request request) {
  request.adapters = std::move(adapters);
  return request;
}

struct AdapterTest : EngineTest {
  // The code of what came of it; empty = it went well.
  std::string Unload(const std::string& path) { return Await(&Engine::UnloadAdapter, path); }
  std::string Load(const std::string& path) { return Await(&Engine::LoadAdapter, path); }
  std::string Await(void (Engine::*act)(const std::string&, Engine::AdapterDone), const std::string& path) {
    std::promise<std::string> outcome;
    (engine.get()->*act)(path, [&](std::optional<ErrorEvent> error) { outcome.set_value(error ? error->code : ""); });
    return outcome.get_future().get();
  }
  RequestId PinPrefix(std::vector<RequestAdapter> adapters) {
    Request pin;
    pin.prompt = Tokens("a prefix");
    pin.pin = true;
    const RequestId prefix = engine->Submit(client, With(std::move(adapters), pin));
    inbox.WaitFor(prefix);
    return prefix;
  }
  std::string TextOf(const AdapterSet& set, const std::string& prompt, int max_tokens) const {
    std::vector<Token> tokens = Tokens(prompt);
    for (int i = 0; i < max_tokens; ++i) {
      std::vector<float> row = fake->RowBehind(tokens, set);
      row[FakeBackend::kEos] = -100;
      tokens.push_back(static_cast<Token>(std::max_element(row.begin(), row.end()) - row.begin()));
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt.size()), tokens.end()};
  }
};

TEST_F(AdapterTest, ARequestIsAnsweredWithItsAdapters) {
  Open("fake");
  auto plain = Run(Greedy("one", 8));
  auto adapted = Run(With({{"a", 0.5F}}, Greedy("one", 8)));
  auto both = Run(With({{"b", 1}, {"a", 1}}, Greedy("one", 8)));
  auto again = Run(With({{"a", 1}, {"b", 1}}, Greedy("one", 8)));
  EXPECT_EQ(again.texts[0], both.texts[0]);
  EXPECT_EQ(plain.texts[0], TextOf({}, "one", 8));
  EXPECT_EQ(adapted.texts[0], TextOf({{1, 0.5F}}, "one", 8));
  EXPECT_EQ(both.texts[0], TextOf({{1, 1}, {2, 1}}, "one", 8));
  EXPECT_NE(plain.texts[0], adapted.texts[0]);
}

TEST_F(AdapterTest, AnAdapterIsReadOnceAndAScaleOfZeroIsNone) {
  Open("fake");
  Run(With({{"a", 1}}, Greedy("one", 2)));
  Run(With({{"a", 2}}, Greedy("one", 2)));
  auto off = Run(With({{"a", 0}}, Greedy("one", 8)));
  EXPECT_EQ(fake->adapters().size(), 1u);
  EXPECT_EQ(off.texts[0], TextOf({}, "one", 8));
}

TEST_F(AdapterTest, EqualSetsShareCellsInWhateverOrderTheyAreGiven) {
  Open("fake");
  const std::string prompt(40, 'x');
  Run(With({{"a", 1}, {"b", 2}, {"c", 0}}, Greedy(prompt, 2)));
  EXPECT_EQ(Run(With({{"b", 2}, {"a", 1}}, Greedy(prompt, 2))).finish.usage.cached_tokens, 39);
  EXPECT_EQ(Run(With({{"b", 1}, {"a", 1}}, Greedy(prompt, 2))).finish.usage.cached_tokens, 0);
  EXPECT_EQ(Run(Greedy(prompt, 2)).finish.usage.cached_tokens, 0);
}

TEST_F(AdapterTest, WhatCannotBeLoadedFailsAlone) {
  Open("fake");
  EXPECT_EQ(Run(With({{"missing", 1}}, Greedy("one", 2))).error.code, "ERR_ADAPTER_NOT_FOUND");
  EXPECT_EQ(Run(With({{"a", 1}, {"broken", 1}}, Greedy("one", 2))).error.code, "ERR_ADAPTER_FILE");
  EXPECT_EQ(Load("other-model"), "ERR_ADAPTER_MISMATCH");
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Run(With({{"a", infinite}}, Greedy("one", 2))).error.code, "ERR_OPTION_VALUE");
  EXPECT_EQ(Run(With({{"a", 1}, {"a", 2}}, Greedy("one", 2))).error.code, "ERR_OPTION_VALUE");
  EXPECT_EQ(Run(With(std::vector<RequestAdapter>(9), Greedy("one", 2))).error.code, "ERR_OPTION_VALUE");
  EXPECT_EQ(Run(With({{"a", 1}}, Greedy("one", 4))).texts[0], TextOf({{1, 1}}, "one", 4));
}

TEST_F(AdapterTest, AnEncoderDecoderModelHasNone) {
  Open("fake-seq2seq");
  EXPECT_EQ(Run(With({{"a", 1}}, Greedy("one", 2))).error.code, "ERR_UNSUPPORTED");
  EXPECT_EQ(Load("a"), "ERR_UNSUPPORTED");
}

TEST_F(AdapterTest, WhatRunsOnAPrefixHasThePrefixsAdapters) {
  Open("fake");
  const RequestId prefix = PinPrefix({{"a", 1}});
  Request child = Greedy("", 6);
  child.parent = prefix;
  EXPECT_EQ(Run(child).texts[0], TextOf({{1, 1}}, "a prefix", 6));
}

TEST_F(AdapterTest, OneThatIsUsedIsNotLetGo) {
  Open("fake-delay-2");
  const RequestId prefix = PinPrefix({{"a", 1}});
  const RequestId running = engine->Submit(client, With({{"b", 1}}, Greedy("one", 400)));
  inbox.WaitForTokens(running, 2);
  EXPECT_EQ(Unload("a"), "ERR_ADAPTER_IN_USE");
  EXPECT_EQ(Unload("b"), "ERR_ADAPTER_IN_USE");
  engine->Release(prefix);
  engine->Cancel(running);
  EXPECT_EQ(Unload("a"), "");
  EXPECT_EQ(Unload("b"), "");
  EXPECT_EQ(Unload("never loaded"), "");
  EXPECT_TRUE(fake->adapters().empty());
}

TEST_F(AdapterTest, CellsOfAnAdapterThatWasLetGoAreNotReusedForTheNextOfThatPath) {
  Open("fake");
  const std::string prompt(40, 'x');
  Run(With({{"a", 1}}, Greedy(prompt, 2)));
  EXPECT_EQ(Unload("a"), "");
  EXPECT_EQ(Load("a"), "");
  EXPECT_EQ(Run(With({{"a", 1}}, Greedy(prompt, 2))).finish.usage.cached_tokens, 0);
}

TEST_F(AdapterTest, ManySetsAtOnceHaveTheTextsOfThemselvesAlone) {
  Open("fake", /*step=*/16, /*cells=*/120, /*sequences=*/12);
  std::map<RequestId, std::pair<AdapterSet, std::string>> asked;
  const std::vector<std::vector<RequestAdapter>> sets{{}, {{"a", 1}}, {{"b", 1}}, {{"a", 1}, {"b", 0.5F}}};
  const std::vector<AdapterSet> ids{{}, {{1, 1}}, {{2, 1}}, {{1, 1}, {2, 0.5F}}};
  ASSERT_EQ(Load("a"), "");
  ASSERT_EQ(Load("b"), "");
  for (int i = 0; i < 40; ++i) {
    const std::string prompt = "prompt " + std::to_string(i / 8);
    asked[engine->Submit(client, With(sets[i % 4], Greedy(prompt, 20)))] = {ids[i % 4], prompt};
  }
  for (const auto& [id, what] : asked) EXPECT_EQ(inbox.WaitFor(id).texts[0], TextOf(what.first, what.second, 20));
  EXPECT_GT(engine->stats().preemptions, 0);
}

}  // namespace
}  // namespace winnow
