// SPDX-License-Identifier: GPL-2.0-only
// rtapp_world.h - what the threads of an rt-app file share: mutexes, conditions and the like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/sim/machine.h"
#include "sim/workload.h"
#include "sim/workloads/rtapp_plan.h"
#include "sim/workloads/wait_queue.h"

namespace cppland::sim::rtapp {

// As glibc's usual mutex: it is not handed over. Who is woken tries again, and may find that
// somebody was faster. Whoever unlocks it, it is free.
struct Mutex {
  bool locked = false;
  WaitQueue queue{};

  // False if the caller must block, and try again then.
  bool lock(Waiter& waiter);
  // False if nobody waits for it.
  bool unlock(Machine& machine);
};

struct Timer {
  bool absolute = false;
  bool used = false;
  std::uint64_t next = 0;

  // Goes on by @period; when that is. @first: where it starts. It is late if that is not behind
  // @now; a relative one then starts anew from @now.
  std::uint64_t advance(std::uint64_t period, std::uint64_t first, std::uint64_t now);
};

// As rt-app's, a mutex and a condition: each thread that comes but the last waits. Who goes on
// counts itself out again, when it runs; should the last come back before that, it does not wait.
struct Barrier {
  std::uint64_t missing = 0;  // before the last
  Mutex mutex{};
  WaitQueue condition{};
};

struct Semaphore {
  std::uint64_t count = 0;
  WaitQueue queue{};
};

class World {
 public:
  explicit World(Plan plan);

  [[nodiscard]] const Plan& plan() const { return plan_; }

  // Starts the threads of @task that are there from the beginning.
  void start_all(Stage& stage);
  // Starts one more. False if there have been as many as rt-app allows.
  bool fork(std::size_t task);

  // When the threads began.
  std::uint64_t zero = 0;
  std::vector<Mutex> mutexes;
  std::vector<WaitQueue> conditions;
  std::vector<Timer> timers;
  std::vector<Barrier> barriers;
  std::vector<Semaphore> semaphores;

 private:
  Plan plan_;
  Stage* stage_ = nullptr;
  std::vector<unsigned> forks_;  // of each task
};

}  // namespace cppland::sim::rtapp
