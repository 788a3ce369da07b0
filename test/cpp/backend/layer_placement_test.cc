#include "backend/layer_placement.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace winnow {
namespace {

constexpr int64_t kMiB = 1 << 20;

// Ten layers of 100 MiB, an output of 50, and 30 for a step.
LayerSizes Model() {
  LayerSizes sizes;
  sizes.layers.assign(10, 100 * kMiB);
  sizes.output = 50 * kMiB;
  sizes.step = 30 * kMiB;
  return sizes;
}

Device WithFree(int64_t mebibytes) { return {"GPU0", "a device", mebibytes * kMiB, 2 * mebibytes * kMiB}; }

struct Lines {
  std::vector<std::pair<LogLevel, std::string>> lines;
  std::function<void(LogLevel, std::string_view)> log = [this](LogLevel level, std::string_view line) {
    lines.emplace_back(level, line);
  };
};

int Place(const std::vector<Device>& devices, int requested) { return PlaceLayers(Model(), devices, requested, {}); }

std::string RefusalOf(const std::vector<Device>& devices, int requested) {
  try {
    Place(devices, requested);
  } catch (const Error& error) {
    return error.code() + " " + error.what();
  }
  return "";
}

TEST(LayerPlacement, TakesTheLastLayersThatFitTheOutputFirst) {
  EXPECT_EQ(Place({WithFree(1080)}, kLayersThatFit), 11);  // 1,000 + 50 + 30, to the byte.
  EXPECT_EQ(Place({WithFree(1079)}, kLayersThatFit), 10);
  EXPECT_EQ(Place({WithFree(180)}, kLayersThatFit), 2);
  EXPECT_EQ(Place({WithFree(80)}, kLayersThatFit), 1);  // The output alone.
  EXPECT_EQ(Place({WithFree(79)}, kLayersThatFit), 0);
}

TEST(LayerPlacement, SharesInProportionToFreeMemory) {
  // 11 units in halves: six on the first device (indices 0 … 5 of 11 lie below one half), five on the second.
  EXPECT_EQ(Place({WithFree(630), WithFree(630)}, kLayersThatFit), 11);
  // 629 MiB each: six layers and a step no longer fit on the first; of ten units each has five.
  EXPECT_EQ(Place({WithFree(629), WithFree(629)}, kLayersThatFit), 10);
  EXPECT_EQ(Place({WithFree(0), WithFree(1080)}, kLayersThatFit), 11);
}

TEST(LayerPlacement, ACountIsTakenAsItIsOrRefusedWithWhatFits) {
  EXPECT_EQ(Place({WithFree(1080)}, 3), 3);
  EXPECT_EQ(Place({WithFree(1080)}, 99), 11);
  EXPECT_EQ(Place({WithFree(1080)}, kAllLayers), 11);
  std::string refusal = RefusalOf({WithFree(500)}, kAllLayers);
  EXPECT_EQ(refusal.find("ERR_OUT_OF_MEMORY 11 of the model's 11 layers need about 1080 MiB on GPU0"), 0u) << refusal;
  EXPECT_NE(refusal.find("Load with gpuLayers: 5,"), std::string::npos) << refusal;  // 50 + 4 × 100 + 30.
  EXPECT_NE(RefusalOf({WithFree(10)}, 1).find("Not even one layer fits"), std::string::npos);
  EXPECT_EQ(RefusalOf({WithFree(480)}, 5), "");
}

TEST(LayerPlacement, WithoutADeviceTheCpuTakesAllWithOneLine) {
  Lines lines;
  EXPECT_EQ(PlaceLayers(Model(), {}, kLayersThatFit, lines.log), 0);
  EXPECT_EQ(PlaceLayers(Model(), {}, 7, lines.log), 0);
  EXPECT_EQ(PlaceLayers(Model(), {}, kAllLayers, lines.log), 0);
  EXPECT_EQ(PlaceLayers(Model(), {}, 0, lines.log), 0);  // Nothing was asked for, nothing is said.
  ASSERT_EQ(lines.lines.size(), 3u);
  EXPECT_EQ(lines.lines[0].first, LogLevel::kInfo);
  EXPECT_EQ(lines.lines[1].first, LogLevel::kWarning);
}

TEST(LayerPlacement, SaysWhatItChose) {
  Lines lines;
  EXPECT_EQ(PlaceLayers(Model(), {WithFree(200)}, kLayersThatFit, lines.log), 2);
  ASSERT_EQ(lines.lines.size(), 1u);
  EXPECT_EQ(lines.lines[0].second, "2 of 11 layers on GPU0 (a device, 200 MiB free).");
}

}  // namespace
}  // namespace winnow
