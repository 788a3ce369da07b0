#include "backend/lora_adapters.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "llama-context.h"
#include "llama-model.h"

namespace winnow {

int LoraAdapters::MostOf(const llama_context* context) {
  const auto tensors = static_cast<uint32_t>(context->get_model().n_tensors());
  const bool grows = context->graph_max_nodes(/*n_tokens=*/1) <= std::max(1024u, 8 * tensors);
  return grows ? kMaxAdapters : 1;
}

AdapterId LoraAdapters::Load(llama_model* model, const std::string& path, const LogSink& sink) {
  LogScope log(sink);
  std::unique_ptr<llama_adapter_lora, Deleter> adapter(llama_adapter_lora_init(model, path.c_str()));
  if (adapter == nullptr)
    throw Error("ERR_ADAPTER_FILE", path + " can't be used as an adapter: " + log.reasons() + ".");
  loaded_[++last_] = std::move(adapter);
  return last_;
}

void LoraAdapters::Unload(llama_context* context, AdapterId adapter) {
  auto has_it = [adapter](const AdapterScale& each) { return each.adapter == adapter; };
  if (std::any_of(used_.begin(), used_.end(), has_it)) Use(context, {});
  loaded_.erase(adapter);
}

void LoraAdapters::Use(llama_context* context, const AdapterSet& adapters) {
  if (adapters == used_) return;
  std::vector<llama_adapter_lora*> pointers;
  std::vector<float> scales;
  for (const AdapterScale& each : adapters) {
    pointers.push_back(loaded_.at(each.adapter).get());
    scales.push_back(each.scale);
  }
  LogSink no_sink;
  LogScope quiet(no_sink);  // It says a dozen lines each time.
  llama_set_adapters_lora(context, pointers.data(), pointers.size(), scales.data());
  used_ = adapters;
  context->sched_reserve();  // Else the next decode does it, and says them.
}

}  // namespace winnow
