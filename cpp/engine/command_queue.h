#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace winnow {

// The one way into the engine thread: commands are pushed from any thread and run by it, in order, between two steps.
class CommandQueue {
 public:
  using Command = std::function<void()>;
  using Time = std::chrono::steady_clock::time_point;

  void Push(Command command) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      commands_.push_back(std::move(command));
    }
    wake_.notify_one();
  }

  // Sleeps until there is at least one, at most until `wake`. Time::min() = doesn't sleep, Time::max() = no limit.
  std::vector<Command> Drain(Time wake) {
    std::unique_lock<std::mutex> lock(mutex_);
    auto has_some = [this] { return !commands_.empty(); };
    if (wake == Time::max()) {
      wake_.wait(lock, has_some);
    } else if (wake != Time::min()) {
      wake_.wait_until(lock, wake, has_some);
    }
    return std::exchange(commands_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Command> commands_;
};

}  // namespace winnow
