#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "base/adapter.h"

namespace winnow {

// The open requests that are computed with the same adapters. A step computes with one set, so it is one group's.
struct AdapterGroup {
  AdapterSet adapters;
  std::string key;  // Unique among sets; a set has the same one whenever it comes.
  int num_open = 0;
};

// Whose step is next. A group goes on for a turn of `turn_steps` steps, since another set costs llama.cpp a new plan of
// its memory; then the others have theirs, the one that has waited longest first. A group that has nothing to do is
// passed over. Of G groups that always have something to do, each has a step within (G − 1) · turn_steps + 1 steps.
class AdapterTurns {
 public:
  explicit AdapterTurns(int turn_steps) : turn_steps_(turn_steps) {}

  // From Open to Close, a request is one of its group's. A group without requests is there until the next Order.
  AdapterGroup* Open(const AdapterSet& adapters);
  void Close(AdapterGroup* group) { --group->num_open; }

  // Who may have the step, in the order in which they are asked.
  std::vector<AdapterGroup*> Order();
  // The group has it.
  void Take(AdapterGroup* group);

  int num_groups() const { return static_cast<int>(groups_.size()); }

 private:
  void ForgetEmpty();

  int turn_steps_;
  std::map<AdapterSet, AdapterGroup> groups_;
  AdapterGroup* current_ = nullptr;   // Whose turn it is.
  int num_taken_ = 0;                 // Steps of this turn.
  std::list<AdapterGroup*> waiting_;  // The others, the one that has waited longest first.
};

}  // namespace winnow
