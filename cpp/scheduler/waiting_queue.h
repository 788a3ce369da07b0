#pragma once

#include <map>
#include <memory>
#include <string>

#include "scheduler/request.h"

namespace winnow {

// A namespace with open requests.
struct Space {
  std::string name;
  std::map<Rank, OpenRequest*> waiting;
  int num_open = 0;       // Waiting and running ones.
  double served = 0;      // Rows evaluated for it, since it was last without requests.
  TimeMs last_begin = 0;  // When one of its requests last began.
};

// Requests that have not begun, and whose turn it is. Within a namespace, by rank. Among namespaces, the one whose
// first request has the highest priority; of equals, the one that has been served least (the virtual token counter of
// arXiv 2401.00588). A namespace's priority grows by 1 for every kAgeingMs in which nothing of it began: after
// kAgeingMs × (1 + the difference of priorities) only namespaces that have waited as long go first, each once.
class WaitingQueue {
 public:
  // From Open to Close, the request is one of its namespace's.
  void Open(OpenRequest* request);
  void Close(OpenRequest* request);

  void Push(OpenRequest* request);
  void Remove(OpenRequest* request);
  // Null if nobody waits. `now`: in the units of ScheduledRequest::submitted.
  OpenRequest* Next(TimeMs now) const;
  // The request, which was the next one, has begun.
  void Begin(OpenRequest* request, TimeMs now);

  int size() const { return size_; }
  int num_spaces() const { return static_cast<int>(spaces_.size()); }

 private:
  double LeastServed() const;

  std::map<std::string, std::unique_ptr<Space>> spaces_;
  int size_ = 0;
};

}  // namespace winnow
