#include "scheduler/waiting_queue.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace winnow {

void WaitingQueue::Open(OpenRequest* request) {
  std::unique_ptr<Space>& space = spaces_[request->spec.space];
  if (space == nullptr) {
    // Who was away has saved nothing up: it begins where the least served of the others stands.
    double served = LeastServed();
    space = std::make_unique<Space>();
    space->name = request->spec.space;
    space->served = served;
    space->last_begin = request->spec.submitted;
  }
  ++space->num_open;
  request->space = space.get();
}

void WaitingQueue::Close(OpenRequest* request) {
  if (--request->space->num_open == 0) spaces_.erase(request->space->name);
  request->space = nullptr;
}

double WaitingQueue::LeastServed() const {
  double least = 0;
  bool is_first = true;
  for (const auto& [name, space] : spaces_) {
    if (space == nullptr) continue;
    least = is_first ? space->served : std::min(least, space->served);
    is_first = false;
  }
  return least;
}

void WaitingQueue::Push(OpenRequest* request) {
  size_ += request->space->waiting.emplace(request->rank, request).second;
}

void WaitingQueue::Remove(OpenRequest* request) {
  size_ -= static_cast<int>(request->space->waiting.erase(request->rank));
}

OpenRequest* WaitingQueue::Next(TimeMs now) const {
  OpenRequest* next = nullptr;
  std::tuple<double, double, Rank> best;
  for (const auto& [name, space] : spaces_) {
    if (space->waiting.empty()) continue;
    OpenRequest* first = space->waiting.begin()->second;
    TimeMs since = std::max(space->last_begin, first->spec.submitted);
    double priority = first->spec.priority + std::floor(static_cast<double>(now - since) / kAgeingMs);
    std::tuple<double, double, Rank> order{-priority, space->served, first->rank};
    if (next == nullptr || order < best) {
      next = first;
      best = order;
    }
  }
  return next;
}

void WaitingQueue::Begin(OpenRequest* request, TimeMs now) {
  Remove(request);
  request->space->last_begin = now;
}

}  // namespace winnow
