#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace winnow {

// The engines of this process, shared by all of its threads: who asks for a key that is open gets the same engine, and
// who asks while it is being loaded waits for it. An engine lives as long as somebody holds it. Any thread; blocks
// while loading. Throws what `load` throws.
std::shared_ptr<Engine> OpenEngine(const std::string& key, const std::function<std::unique_ptr<Backend>()>& load,
                                   const EngineOptions& options = {});

// At the exit of the process, stops the engines that are open then, before anything is destroyed that was made before
// this call: process.exit() runs no clean-up hooks of Node. Call it whenever something may have been made.
void StopEnginesAtExit();

}  // namespace winnow
