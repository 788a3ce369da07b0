#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/token_tree.h"
#include "engine/request.h"

// What a model can't serve, refused before the scheduler sees it. Each throws Error.
namespace winnow {

// A request that generates, scores, pins or restores.
void CheckRequest(const ModelInfo& info, const Request& request);

// A request that encodes texts.
void CheckTexts(const ModelInfo& info, const Request& request);

// Checks of running candidates, in one step together with the token before them.
void CheckStepFits(const ModelInfo& info, const std::vector<std::shared_ptr<const TokenTree>>& checks);

// Whether a request may have so many adapters with the model.
void CheckAdapters(const ModelInfo& info, size_t count);

// Whether prefixes of the model can leave the cache and come back.
void CheckSavable(const ModelInfo& info);

}  // namespace winnow
