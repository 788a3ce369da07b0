#pragma once

#include <map>
#include <vector>

#include "base/encode_plan.h"
#include "base/span.h"
#include "engine/event.h"
#include "engine/request.h"
#include "scorer/pooling.h"

namespace winnow {

// The texts of one request as they become vectors. Knows nothing of steps.
class TextEncoding {
 public:
  TextEncoding(RequestId id, const Request& request)
      : id_(id), pooling_(request.pooling), normalize_(request.normalize) {}

  // Reads the states of a text, or of a piece of it, [rows of the item]; emits the vector with the last of them.
  void Read(const EncodeItem& item, Span<const Span<const float>> states, std::vector<Event>* events);
  // Emits a classifier's scores of a text as they are.
  void ReadClasses(const EncodeItem& item, Span<const float> scores, std::vector<Event>* events) const;

 private:
  RequestId id_;
  Pooling pooling_;
  bool normalize_;
  std::map<int, Pooler> poolers_;  // By text; those that have begun.
};

}  // namespace winnow
