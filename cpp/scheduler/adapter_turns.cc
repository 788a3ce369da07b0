#include "scheduler/adapter_turns.h"

#include <cstring>

namespace winnow {
namespace {

std::string KeyOf(const AdapterSet& adapters) {
  std::string key;
  for (const AdapterScale& each : adapters) {
    uint32_t bits;
    std::memcpy(&bits, &each.scale, sizeof bits);
    key += std::to_string(each.adapter) + 'x' + std::to_string(bits) + ' ';
  }
  return key;
}

}  // namespace

AdapterGroup* AdapterTurns::Open(const AdapterSet& adapters) {
  auto [found, is_new] = groups_.try_emplace(adapters);
  AdapterGroup& group = found->second;
  if (is_new) {
    group.adapters = adapters;
    group.key = KeyOf(adapters);
    waiting_.push_back(&group);
  }
  ++group.num_open;
  return &group;
}

void AdapterTurns::ForgetEmpty() {
  for (auto it = groups_.begin(); it != groups_.end();) {
    if (it->second.num_open > 0) {
      ++it;
      continue;
    }
    if (current_ == &it->second) current_ = nullptr;
    waiting_.remove(&it->second);
    it = groups_.erase(it);
  }
}

std::vector<AdapterGroup*> AdapterTurns::Order() {
  ForgetEmpty();
  std::vector<AdapterGroup*> order(waiting_.begin(), waiting_.end());
  if (current_ != nullptr) order.insert(num_taken_ < turn_steps_ ? order.begin() : order.end(), current_);
  return order;
}

void AdapterTurns::Take(AdapterGroup* group) {
  if (group == current_) {
    num_taken_ = num_taken_ < turn_steps_ ? num_taken_ + 1 : 1;
    return;
  }
  if (current_ != nullptr) waiting_.push_back(current_);
  waiting_.remove(group);
  current_ = group;
  num_taken_ = 1;
}

}  // namespace winnow
