#include "scheduler/encode_queue.h"

#include <algorithm>

namespace winnow {

void EncodeQueue::Add(EncodeRequest spec) {
  const RequestId id = spec.id;
  Open& request = requests_[id];
  request.rank = Rank(spec.submitted, spec.priority, id);
  order_.emplace(request.rank, id);
  if (spec.deadline != kNever) deadlines_.emplace(spec.deadline, id);
  request.spec = std::move(spec);
}

void EncodeQueue::Remove(RequestId id) {
  auto found = requests_.find(id);
  if (found == requests_.end()) return;
  order_.erase({found->second.rank, id});
  deadlines_.erase({found->second.spec.deadline, id});
  requests_.erase(found);
}

// A step in the making.
struct EncodeQueue::Filling {
  EncodePlan plan;
  SequenceId taken = kNoSequence;  // By a text that goes on.
  SequenceId next = 0;

  SequenceId TakeSequence() {
    if (next == taken) ++next;
    return next++;
  }
};

EncodePlan EncodeQueue::Plan() const {
  Filling filling;
  for (const auto& [id, request] : requests_) {
    if (request.begin == 0) continue;
    filling.taken = request.sequence;
    Fill(request, request.text, &filling);
  }
  for (const auto& [rank, id] : order_) {
    const Open& request = requests_.at(id);
    for (size_t text = request.text + (request.begin > 0 ? 1 : 0); text < request.spec.texts.size(); ++text) {
      if (!Fill(request, text, &filling)) return std::move(filling.plan);
    }
  }
  return std::move(filling.plan);
}

bool EncodeQueue::Fill(const Open& request, size_t text, Filling* filling) const {
  EncodePlan& plan = filling->plan;
  const std::vector<Token>& tokens = request.spec.texts[text];
  const int begin = text == request.text ? request.begin : 0;
  const int left = options_.max_step_tokens - static_cast<int>(plan.tokens.size());
  const int wanted = static_cast<int>(tokens.size()) - begin;
  const int rows = options_.cuts_texts ? std::min(left, wanted) : wanted;
  if (rows == 0 || rows > left || static_cast<int>(plan.items.size()) == options_.max_step_texts) return false;
  EncodeItem item{request.spec.id, static_cast<int>(text), request.sequence, begin};
  if (begin == 0) item.sequence = filling->TakeSequence();
  item.first_row = static_cast<int>(plan.tokens.size());
  item.num_rows = rows;
  item.is_last = rows == wanted;
  plan.items.push_back(item);
  plan.tokens.insert(plan.tokens.end(), tokens.begin() + begin, tokens.begin() + begin + rows);
  return true;
}

std::vector<RequestId> EncodeQueue::Commit(const EncodePlan& plan) {
  std::vector<RequestId> finished;
  for (const EncodeItem& item : plan.items) {
    Open& request = requests_.at(item.request);
    request.text = item.text + (item.is_last ? 1 : 0);
    request.begin = item.is_last ? 0 : item.begin + item.num_rows;
    request.sequence = item.sequence;
    if (request.text == request.spec.texts.size()) finished.push_back(item.request);
  }
  for (RequestId id : finished) Remove(id);
  return finished;
}

std::vector<RequestId> EncodeQueue::TakeExpired(TimeMs now) {
  std::vector<RequestId> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    expired.push_back(deadlines_.begin()->second);
    Remove(expired.back());
  }
  return expired;
}

int EncodeQueue::num_running() const {
  return static_cast<int>(
      std::count_if(requests_.begin(), requests_.end(), [](const auto& entry) { return entry.second.has_begun(); }));
}

}  // namespace winnow
