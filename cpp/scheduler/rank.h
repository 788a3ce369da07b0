#pragma once

#include "base/types.h"

namespace winnow {

// How long a request has to wait until it goes before newer ones whose priority is higher by 1.
constexpr double kAgeingMs = 60'000;

// Who goes first: higher priorities, then earlier requests. A request's priority grows by 1 for every kAgeingMs that it
// has waited; so do all others', so that the order of two requests never changes: it is that of submitted − priority ×
// kAgeingMs. Nothing that is submitted kAgeingMs × (difference of priorities) after a request gets ahead of it.
struct Rank {
  double due = 0;  // Smaller goes first.
  RequestId id = kNoRequest;

  Rank() = default;
  Rank(TimeMs submitted, double priority, RequestId id)
      : due(static_cast<double>(submitted) - priority * kAgeingMs), id(id) {}
  bool operator<(const Rank& other) const { return due != other.due ? due < other.due : id < other.id; }
};

}  // namespace winnow
