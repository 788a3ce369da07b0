#include "engine/text_encoding.h"

namespace winnow {

void TextEncoding::Read(const EncodeItem& item, Span<const Span<const float>> states, std::vector<Event>* events) {
  auto pooler = poolers_.emplace(item.text, Pooler(pooling_)).first;
  for (Span<const float> state : states) pooler->second.Add(state);
  if (!item.is_last) return;
  events->push_back(VectorEvent{id_, item.text, pooler->second.Finish(normalize_)});
  poolers_.erase(pooler);
}

void TextEncoding::ReadClasses(const EncodeItem& item, Span<const float> scores, std::vector<Event>* events) const {
  events->push_back(VectorEvent{id_, item.text, {scores.begin(), scores.end()}});
}

}  // namespace winnow
