// SPDX-License-Identifier: GPL-2.0-only
// rtapp_thread.h - one thread of an rt-app file, as a program of the modelled machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/workload.h"
#include "sim/workloads/rtapp_plan.h"
#include "sim/workloads/rtapp_world.h"

namespace cppland::sim::rtapp {

// Counts a period for each timer that it comes to, a missed one for each that is over by then, and
// a unit for each time that it has gone through a phase.
class Thread final : public Program {
 public:
  // @first: when its events begin.
  Thread(World& world, const TaskPlan& plan, std::uint64_t first);

  Step next(Machine& machine, Task& task) override;

 private:
  using Steps = std::optional<Step>;

  [[nodiscard]] const Phase& phase() const { return plan_.phases[phase_]; }
  Steps enter_phase(Machine& machine, Task& task);
  Steps leave_phase(Machine& machine);
  Steps perform(const Op& op, Machine& machine);
  Steps wait_for_time(Timer& timer, const Op& op, Machine& machine);
  Steps work_until_over(const Op& op, Machine& machine);
  // What a thread has done at the barrier that it has come to.
  enum class Met : std::uint8_t { kNothing, kLock, kSleep };
  Steps meet(Barrier& barrier, Machine& machine);
  Steps take(Semaphore& semaphore);
  Steps done() {
    ++op_;
    return {};
  }
  Step done(Step step) {
    ++op_;
    return step;
  }
  // Whoever has been @woken may preempt the caller before it does anything more.
  Steps done_waking(bool woken);

  World& world_;
  const TaskPlan& plan_;
  std::vector<Timer> timers_;
  Waiter self_;
  std::uint64_t first_;
  int nice_;
  bool idle_;  // SCHED_IDLE
  std::size_t phase_ = 0;
  std::size_t op_ = 0;
  std::uint64_t rounds_ = 0;  // of the phase
  std::uint64_t loops_ = 0;   // of all phases
  std::uint64_t round_began_ = 0;
  std::uint64_t event_began_ = 0;  // a kRuntime's; 0: not yet
  bool started_ = false;
  bool entered_ = false;
  Met met_ = Met::kNothing;
};

}  // namespace cppland::sim::rtapp
