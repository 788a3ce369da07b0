#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace winnow {

// The one way into the engine thread: commands are pushed from any thread and run by it, in order, between two steps.
class CommandQueue {
 public:
  using Command = std::function<void()>;

  void Push(Command command) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      commands_.push_back(std::move(command));
    }
    wake_.notify_one();
  }

  // `waits`: sleep until there is at least one.
  std::vector<Command> Drain(bool waits) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (waits) wake_.wait(lock, [this] { return !commands_.empty(); });
    return std::exchange(commands_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Command> commands_;
};

}  // namespace winnow
