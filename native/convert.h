#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/span.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/request.h"
#include "engine/stats.h"

// JavaScript values to C++ ones and back, as lib/native.ts types them. No defaults: every field is there and checked.
namespace winnow {

ModelOptions ModelOptionsFrom(Napi::Object object);
EngineOptions EngineOptionsFrom(Napi::Object object);
Request RequestFrom(Napi::Object object);
std::shared_ptr<const SavedPrefix> SavedFrom(Napi::Object object);
std::vector<Token> TokensFrom(Napi::Value value);  // An Int32Array.

Napi::Value ToJs(Napi::Env env, const ModelInfo& info);
Napi::Value ToJs(Napi::Env env, const EngineStats& stats);
Napi::Value ToJs(Napi::Env env, const Event& event);
Napi::Value ToJs(Napi::Env env, const SavedPrefix& saved);
Napi::Value ToJs(Napi::Env env, Span<const Token> tokens);
const char* LogLevelName(LogLevel level);

}  // namespace winnow
