#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"

namespace winnow {

// The engines of this process, shared by all of its threads: who asks for a key that is open gets the same engine, and
// who asks while it is being loaded waits for it. An engine lives as long as somebody holds it. Any thread; blocks
// while loading. Throws what `load` throws.
std::shared_ptr<Engine> OpenEngine(const std::string& key, const std::function<std::unique_ptr<Backend>()>& load);

}  // namespace winnow
