#include "sampler/factual_nucleus.h"

#include <gtest/gtest.h>

#include <vector>

#include "sampler/sampler.h"

namespace winnow {
namespace {

// p before each token; `ends[i]`: token i ends a sentence.
std::vector<float> Ps(FactualNucleus nucleus, const std::vector<bool>& ends) {
  std::vector<float> ps;
  for (bool ends_sentence : ends) {
    ps.push_back(nucleus.top_p());
    nucleus.Accept(ends_sentence);
  }
  return ps;
}

void ExpectNear(const std::vector<float>& values, const std::vector<double>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-6) << i;
}

TEST(FactualNucleus, ShrinksFromTheThirdTokenOfASentenceAndBeginsAnewBehindItsEnd) {
  ExpectNear(Ps({0.9f, 0.5f, 0.1f}, {false, false, false, true, false, false, false}),
             {0.9, 0.9, 0.45, 0.225, 0.9, 0.9, 0.45});
}

TEST(FactualNucleus, StopsAtItsFloor) {
  ExpectNear(Ps({0.9f, 0.5f, 0.3f}, {false, false, false, false, false}), {0.9, 0.9, 0.45, 0.3, 0.3});
  ExpectNear(Ps({0.2f, 0.5f, 0.3f}, {false, false, false}), {0.2, 0.2, 0.2});  // Never above p.
}

TEST(FactualNucleus, StaysAtPWithADecayOfOne) {
  ExpectNear(Ps({0.9f, 1.0f, 0.3f}, {false, false, false, false}), {0.9, 0.9, 0.9, 0.9});
}

TEST(FactualNucleus, SetsWhatTheSamplerKeeps) {
  const std::vector<float> row = {3, 2.9f, 2.8f, 2.7f};
  SamplingOptions options;
  options.top_p = 1;
  Sampler sampler(options, 0);
  bool has_others = false;
  for (Position i = 0; i < 50; ++i) has_others |= sampler.Sample(row, {}, i, {}).token != 0;
  EXPECT_TRUE(has_others);
  sampler.set_top_p(0.2f);
  for (Position i = 0; i < 50; ++i) EXPECT_EQ(sampler.Sample(row, {}, i, {}).token, 0);
}

}  // namespace
}  // namespace winnow
