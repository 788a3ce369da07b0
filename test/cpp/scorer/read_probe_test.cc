#include "scorer/read_probe.h"

#include <gtest/gtest.h>

namespace winnow {
namespace {

TEST(ReadProbe, IsTheDotProductPlusTheBias) {
  const Probe probe{"tone", 1, {1, -2, 0.5f}, 0.25};
  const std::vector<float> state = {3, 1, 4};
  EXPECT_EQ(ReadProbe(probe, state), 3 - 2 + 2 + 0.25);
}

}  // namespace
}  // namespace winnow
