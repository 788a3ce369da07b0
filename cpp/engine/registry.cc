#include "engine/registry.h"

#include <cstdlib>
#include <map>
#include <mutex>

namespace winnow {
namespace {

struct Slot {
  std::mutex loading;  // Held while its engine loads.
  std::weak_ptr<Engine> engine;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Slot>> slots;
};

// Never destroyed: an engine thread may outlive static destructors at the exit of the process.
Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

std::shared_ptr<Slot> SlotOf(const std::string& key) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  std::shared_ptr<Slot>& slot = registry.slots[key];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

void StopOpenEngines() {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  for (auto& [key, slot] : registry.slots) {
    if (std::shared_ptr<Engine> engine = slot->engine.lock()) engine->Stop();
  }
}

}  // namespace

void StopEnginesAtExit() { std::atexit(StopOpenEngines); }

std::shared_ptr<Engine> OpenEngine(const std::string& key, const std::function<std::unique_ptr<Backend>()>& load,
                                   const EngineOptions& options) {
  std::shared_ptr<Slot> slot = SlotOf(key);
  std::lock_guard<std::mutex> lock(slot->loading);
  std::shared_ptr<Engine> engine = slot->engine.lock();
  if (engine == nullptr) {
    engine = std::make_shared<Engine>(load(), options);
    slot->engine = engine;
    StopEnginesAtExit();
  }
  return engine;
}

}  // namespace winnow
