#pragma once

#include <map>
#include <memory>
#include <string>

#include "backend/log.h"
#include "base/adapter.h"
#include "llama.h"

namespace winnow {

// The low-rank adapters that were loaded for a model, and which of them its context computes with. Dies before the
// model.
class LoraAdapters {
 public:
  // Of a request with this model: llama.cpp gives most graphs room for all adapters that are loaded, and those of some
  // architectures none.
  static int MostOf(const llama_context* context);

  // The file has been checked. Throws ERR_ADAPTER_FILE with llama.cpp's own reasons.
  AdapterId Load(llama_model* model, const std::string& path, const LogSink& log);
  // The context, if there is one, computes without it from now on.
  void Unload(llama_context* context, AdapterId adapter);
  // What the context computes with from now on. Another set than before costs a new plan of its memory.
  void Use(llama_context* context, const AdapterSet& adapters);

 private:
  struct Deleter {
    void operator()(llama_adapter_lora* adapter) const { llama_adapter_lora_free(adapter); }
  };

  std::map<AdapterId, std::unique_ptr<llama_adapter_lora, Deleter>> loaded_;
  AdapterId last_ = kNoAdapter;
  AdapterSet used_;
};

}  // namespace winnow
