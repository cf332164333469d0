// SPDX-License-Identifier: GPL-2.0-only
// wait_queue.h - programs that wait for each other.
#pragma once

#include <cstddef>
#include <deque>

#include "kernel/sim/machine.h"

namespace cppland::sim {

// A task that may wait for others.
struct Waiter {
  Task* task = nullptr;  // set before it waits
  bool waiting = false;
};

// Tasks that wait, first come, first served.
class WaitQueue {
 public:
  // To be followed by a Step::kBlock; and by another, should the program be asked while it waits.
  void add(Waiter& waiter) {
    waiter.waiting = true;
    waiters_.push_back(&waiter);
  }

  // False if nobody waits. @sync: the caller is about to sleep, as far as the kernel is told.
  bool wake_one(Machine& machine, bool sync = false) {
    if (waiters_.empty()) return false;
    Waiter& waiter = *waiters_.front();
    waiters_.pop_front();
    waiter.waiting = false;
    machine.wake(*waiter.task, sync);
    return true;
  }

  // False if nobody waits.
  bool wake_all(Machine& machine) {
    const bool any = !waiters_.empty();
    while (wake_one(machine)) {
    }
    return any;
  }

 private:
  std::deque<Waiter*> waiters_;
};

}  // namespace cppland::sim
