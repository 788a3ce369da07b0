#include "backend/layer_placement.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace winnow {
namespace {

std::string Mebibytes(int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

int64_t BytesOf(const LayerSizes& sizes, int unit) {
  return unit < static_cast<int>(sizes.layers.size()) ? sizes.layers[unit] : sizes.output;
}

// Shares of the layers up to and with each device, as llama.cpp splits them: by free memory.
std::vector<float> SplitsOf(const std::vector<Device>& devices) {
  std::vector<float> splits;
  for (const Device& device : devices) splits.push_back(static_cast<float>(device.free_bytes));
  std::partial_sum(splits.begin(), splits.end(), splits.begin());
  float sum = splits.back();
  for (float& split : splits) split = sum > 0 ? split / sum : 1.0f;
  return splits;
}

// Bytes of each device with the last `count` units on them.
std::vector<int64_t> LoadsOf(const LayerSizes& sizes, const std::vector<Device>& devices, int count) {
  std::vector<float> splits = SplitsOf(devices);
  std::vector<int64_t> loads(devices.size());
  int first = sizes.num_units() - count;
  for (int unit = first; unit < sizes.num_units(); ++unit) {
    float share = static_cast<float>(unit - first) / static_cast<float>(count);
    auto device = std::upper_bound(splits.begin(), splits.end(), share) - splits.begin();
    int64_t& load = loads[std::min<size_t>(device, devices.size() - 1)];
    load += (load == 0 ? sizes.step : 0) + BytesOf(sizes, unit);
  }
  return loads;
}

bool Fits(const LayerSizes& sizes, const std::vector<Device>& devices, int count) {
  std::vector<int64_t> loads = LoadsOf(sizes, devices, count);
  for (size_t i = 0; i < loads.size(); ++i) {
    if (loads[i] > devices[i].free_bytes) return false;
  }
  return true;
}

int MostThatFit(const LayerSizes& sizes, const std::vector<Device>& devices) {
  int count = sizes.num_units();
  while (count > 0 && !Fits(sizes, devices, count)) --count;
  return count;
}

std::string ListOf(const std::vector<Device>& devices) {
  std::string list;
  for (const Device& device : devices) {
    list += (list.empty() ? "" : ", ") + device.name + " (" + device.description + ", " + Mebibytes(device.free_bytes) +
            " free)";
  }
  return list;
}

[[noreturn]] void ThrowTooLarge(const LayerSizes& sizes, const std::vector<Device>& devices, int wanted, int fitting) {
  std::vector<int64_t> loads = LoadsOf(sizes, devices, wanted);
  int64_t needed = std::accumulate(loads.begin(), loads.end(), int64_t{0});
  std::string advice = fitting > 0 ? "Load with gpuLayers: " + std::to_string(fitting) + ", or "
                                   : std::string("Not even one layer fits: load with gpuLayers: 0, or ");
  throw Error("ERR_OUT_OF_MEMORY", std::to_string(wanted) + " of the model's " + std::to_string(sizes.num_units()) +
                                       " layers need about " + Mebibytes(needed) + " on " + ListOf(devices) + ". " +
                                       advice + "with smaller cacheTokens.");
}

}  // namespace

int PlaceLayers(const LayerSizes& sizes, const std::vector<Device>& devices, int requested,
                const std::function<void(LogLevel, std::string_view)>& log) {
  auto say = [&](LogLevel level, const std::string& line) {
    if (log) log(level, line);
  };
  if (requested == 0) return 0;
  if (devices.empty()) {
    say(requested == kLayersThatFit ? LogLevel::kInfo : LogLevel::kWarning,
        "No GPU that this build can use: the model runs on the CPU.");
    return 0;
  }
  int fitting = MostThatFit(sizes, devices);
  int wanted = requested == kLayersThatFit ? fitting
               : requested == kAllLayers   ? sizes.num_units()
                                           : std::min(requested, sizes.num_units());
  if (wanted > fitting && !Fits(sizes, devices, wanted)) ThrowTooLarge(sizes, devices, wanted, fitting);
  say(LogLevel::kInfo, std::to_string(wanted) + " of " + std::to_string(sizes.num_units()) + " layers on " +
                           ListOf(devices) + (wanted == 0 ? ": not one fits, the model runs on the CPU." : "."));
  return wanted;
}

}  // namespace winnow
