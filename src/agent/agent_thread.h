// SPDX-License-Identifier: GPL-2.0-only
// agent_thread.h - the one thread that the dispatcher knows as the agent.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <semaphore>
#include <span>

#include "base/event.h"
#include "base/result.h"

namespace cppland {

// Starts the thread at once, so that its tid is known before the dispatcher is loaded, and lets it
// work when told. All signals are blocked in it, and it has no capabilities. Its stack is small and
// in memory before it is needed.
class AgentThread {
 public:
  using Work = std::function<void(const std::atomic<bool>& stop)>;

  AgentThread() = default;
  AgentThread(const AgentThread&) = delete;
  AgentThread& operator=(const AgentThread&) = delete;
  // Ends the thread as stop() does.
  ~AgentThread();

  // @cpus: where it may run; empty: where its maker may.
  [[nodiscard]] Result<void> start(std::span<const unsigned> cpus = {});
  [[nodiscard]] pid_t tid() const noexcept { return tid_; }

  // Lets the thread do @work, once. REQUIRES: start() succeeded. What @work refers to must live
  // until stop() has returned.
  void go(Work work);

  // Becomes readable when the work has ended by itself.
  [[nodiscard]] int ended_fd() const noexcept { return ended_.fd(); }

  // Tells the work to end, and waits for it.
  void stop() noexcept;

  // The same, but waits no longer than that; false if the work has not ended by then. What is left
  // for the process to do is to exit, without destructors.
  [[nodiscard]] bool stop_within(std::chrono::seconds patience) noexcept;

 private:
  [[nodiscard]] bool ends_within(std::chrono::milliseconds patience) const noexcept;
  static void* entry(void* self);
  void main() noexcept;

  pthread_t thread_{};
  bool running_ = false;
  pid_t tid_ = 0;
  std::atomic<bool> stop_ = false;
  Result<void> prepared_;
  std::binary_semaphore known_{0};    // tid_ and prepared_
  std::counting_semaphore<3> go_{0};  // go() and both stops each add one
  Work work_;
  Event ended_;
};

}  // namespace cppland
