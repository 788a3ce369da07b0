#pragma once

#include <map>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "engine/request.h"

namespace winnow {

// The adapters that a backend holds, by path: each is read once and stays until it is let go. Engine thread only.
class AdapterShelf {
 public:
  explicit AdapterShelf(Backend* backend) : backend_(backend) {}

  // Throws what Backend::LoadAdapter throws.
  AdapterId Load(const std::string& path);
  // kNoAdapter: it isn't loaded.
  AdapterId Find(const std::string& path) const;
  // Precondition: it is loaded, and nobody uses it.
  void Unload(const std::string& path);

  // Loads what isn't there. What is scaled by 0 is as good as absent. Throws what Load throws, and ERR_OPTION_VALUE for
  // a path that comes twice and a scale that is no number.
  AdapterSet SetOf(std::vector<RequestAdapter> adapters);

  int size() const { return static_cast<int>(ids_.size()); }

 private:
  Backend* backend_;
  std::map<std::string, AdapterId> ids_;
};

}  // namespace winnow
