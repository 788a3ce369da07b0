#include "engine/adapter_shelf.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace winnow {
namespace {

void CheckDistinct(const std::vector<RequestAdapter>& adapters) {
  for (size_t i = 0; i < adapters.size(); ++i) {
    if (!std::isfinite(adapters[i].scale))
      throw Error("ERR_OPTION_VALUE", "The scale of adapter " + adapters[i].path + " is not a finite number.");
    for (size_t j = 0; j < i; ++j) {
      if (adapters[j].path == adapters[i].path)
        throw Error("ERR_OPTION_VALUE", "Adapter " + adapters[i].path + " is named twice.");
    }
  }
}

}  // namespace

AdapterId AdapterShelf::Load(const std::string& path) {
  const AdapterId known = Find(path);
  if (known != kNoAdapter) return known;
  const AdapterId loaded = backend_->LoadAdapter(path);
  return ids_[path] = loaded;
}

AdapterId AdapterShelf::Find(const std::string& path) const {
  auto found = ids_.find(path);
  return found == ids_.end() ? kNoAdapter : found->second;
}

void AdapterShelf::Unload(const std::string& path) {
  backend_->UnloadAdapter(Find(path));
  ids_.erase(path);
}

AdapterSet AdapterShelf::SetOf(std::vector<RequestAdapter> adapters) {
  CheckDistinct(adapters);
  std::sort(adapters.begin(), adapters.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  AdapterSet set;
  for (const RequestAdapter& adapter : adapters) {
    const AdapterId id = Load(adapter.path);
    if (adapter.scale != 0) set.push_back({id, adapter.scale});
  }
  return set;
}

}  // namespace winnow
