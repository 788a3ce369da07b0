#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/encode_plan.h"
#include "base/types.h"
#include "scheduler/rank.h"

namespace winnow {

struct EncodeOptions {
  int max_step_tokens = 512;  // Rows of a step.
  int max_step_texts = 256;   // Texts, or pieces, of a step: each is a sequence.
  bool cuts_texts = false;    // A text may go on in the next step: only where no token sees a later one.
};

struct EncodeRequest {
  RequestId id = kNoRequest;
  std::vector<std::vector<Token>> texts;  // None is empty; without cuts_texts, none is longer than a step.
  double priority = 0;                    // Higher first.
  TimeMs submitted = 0;
  TimeMs deadline = kNever;
};

// Decides which texts the next step encodes: as many as fit, in order of rank. Nothing of a text is kept once it is
// encoded, so there is no cache here and nobody gives way. A text that was cut goes on before anything else: there is
// never more than one. No model, no clock, no threads.
class EncodeQueue {
 public:
  explicit EncodeQueue(const EncodeOptions& options) : options_(options) {}

  void Add(EncodeRequest request);
  // Unknown ids are fine.
  void Remove(RequestId id);

  // Every non-empty plan is committed before the next one, or its requests are removed.
  EncodePlan Plan() const;
  // Returns the requests whose last text is encoded; they are gone.
  std::vector<RequestId> Commit(const EncodePlan& plan);
  // Takes out those whose deadline has come.
  std::vector<RequestId> TakeExpired(TimeMs now);

  bool is_idle() const { return requests_.empty(); }
  int size() const { return static_cast<int>(requests_.size()); }
  int num_running() const;  // Of these, those that have begun.
  TimeMs next_deadline() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }

 private:
  struct Open {
    EncodeRequest spec;
    Rank rank;
    size_t text = 0;          // The next one.
    int begin = 0;            // Its tokens before this one are encoded.
    SequenceId sequence = 0;  // What it has, once it has begun.
    bool has_begun() const { return text > 0 || begin > 0; }
  };
  struct Filling;

  // Returns false where the step has no room for the text.
  bool Fill(const Open& request, size_t text, Filling* filling) const;

  EncodeOptions options_;
  std::map<RequestId, Open> requests_;
  std::set<std::pair<Rank, RequestId>> order_;
  std::set<std::pair<TimeMs, RequestId>> deadlines_;
};

}  // namespace winnow
