// SPDX-License-Identifier: GPL-2.0-only
// rtapp_thread.cc - see rtapp_thread.h.
#include "sim/workloads/rtapp_thread.h"

#include <algorithm>
#include <utility>

namespace cppland::sim::rtapp {
namespace {

constexpr std::uint64_t kUs = 1'000;

// rt-app looks at the clock after each 32 us of work.
constexpr std::uint64_t kBurst = 32 * kUs;

constexpr Step kBlock{.kind = Step::Kind::kBlock};
constexpr Step run(std::uint64_t ns) { return {.kind = Step::Kind::kRun, .ns = ns}; }
constexpr Step kInstant = run(1);
constexpr Step sleep(std::uint64_t ns) { return {.kind = Step::Kind::kSleep, .ns = ns}; }

// When the machine was switched on.
CpuSet online(const Topology& topology) {
  CpuSet cpus;
  for (const Cpu& cpu : topology.cpus()) {
    if (cpu.online) cpus.set(cpu.id);
  }
  return cpus;
}

}  // namespace

Thread::Thread(World& world, const TaskPlan& plan, std::uint64_t first)
    : world_(world), plan_(plan), first_(first), nice_(plan.nice), idle_(plan.idle) {
  for (const bool absolute : plan.own_timers) timers_.push_back({.absolute = absolute});
}

Step Thread::next(Machine& machine, Task& task) {
  if (self_.waiting) return kBlock;  // somebody else has woken it
  if (!std::exchange(started_, true)) {
    self_.task = &task;
    if (machine.now() < first_) return sleep(first_ - machine.now());
  }
  for (;;) {
    if (!entered_) {
      if (loops_ == plan_.loops) return {.kind = Step::Kind::kExit};
      entered_ = true;
      if (const Steps step = enter_phase(machine, task)) return *step;
    }
    const Steps step =
        op_ < phase().ops.size() ? perform(phase().ops[op_], machine) : leave_phase(machine);
    if (step) return *step;
  }
}

// One that moves itself to other CPUs must go on there.
Thread::Steps Thread::enter_phase(Machine& machine, Task& task) {
  round_began_ = machine.now();
  op_ = 0;
  nice_ = phase().nice.value_or(nice_);
  idle_ = phase().idle.value_or(idle_);
  const int nice = idle_ ? kIdleNice : nice_;
  if (nice != task.nice) machine.set_nice(task, nice);
  CpuSet cpus = phase().cpus.empty() ? plan_.cpus : phase().cpus;
  if (cpus.empty()) cpus = online(machine.topology());
  CpuSet usable = cpus;
  usable &= machine.active();
  if (cpus == task.allowed || usable.empty()) return {};
  machine.set_affinity(task, cpus);
  return run(kUs);
}

// A round in which no time has passed takes a little all the same, or the thread would go on within
// one instant for ever.
Thread::Steps Thread::leave_phase(Machine& machine) {
  ++progress_.units;
  entered_ = false;
  if (++rounds_ == phase().loops) {
    rounds_ = 0;
    if (++phase_ == plan_.phases.size()) {
      phase_ = 0;
      ++loops_;
    }
  }
  if (machine.now() == round_began_) return run(kUs);
  return {};
}

Thread::Steps Thread::perform(const Op& op, Machine& machine) {
  switch (op.kind) {
    case Op::Kind::kRun:
      return op.ns == 0 ? done() : done(run(op.ns));
    case Op::Kind::kRuntime:
      return work_until_over(op, machine);
    case Op::Kind::kSleep:
      return done(sleep(op.ns));
    case Op::Kind::kTimer:
      return wait_for_time(world_.timers[op.which], op, machine);
    case Op::Kind::kOwnTimer:
      return wait_for_time(timers_[op.which], op, machine);
    case Op::Kind::kLock:
      return world_.mutexes[op.which].lock(self_) ? done() : kBlock;
    case Op::Kind::kUnlock:
      return done_waking(world_.mutexes[op.which].unlock(machine));
    case Op::Kind::kWait:
      // Who is woken by the release may signal before this one sleeps, which then does not.
      world_.conditions[op.which].add(self_);
      world_.mutexes[op.mutex].unlock(machine);
      return done(kInstant);
    case Op::Kind::kSignal:
      return done_waking(world_.conditions[op.which].wake_one(machine));
    case Op::Kind::kBroadcast:
      return done_waking(world_.conditions[op.which].wake_all(machine));
    case Op::Kind::kBarrier:
      return meet(world_.barriers[op.which], machine);
    case Op::Kind::kPost:
      ++world_.semaphores[op.which].count;
      return done_waking(world_.semaphores[op.which].queue.wake_one(machine));
    case Op::Kind::kTake:
      return take(world_.semaphores[op.which]);
    case Op::Kind::kYield:
      return done({.kind = Step::Kind::kYield});
    case Op::Kind::kFork:
      world_.fork(op.which);
      return done();
  }
  return done();
}

Thread::Steps Thread::wait_for_time(Timer& timer, const Op& op, Machine& machine) {
  const std::uint64_t now = machine.now();
  const std::uint64_t due = timer.advance(op.ns, first_, now);
  ++progress_.periods;
  if (due > now) return done(sleep(due - now));
  ++progress_.missed;
  return done();
}

// By the clock: what it waits for a CPU meanwhile counts, too.
Thread::Steps Thread::work_until_over(const Op& op, Machine& machine) {
  if (event_began_ == 0) {
    event_began_ = machine.now();
  } else if (machine.now() >= event_began_ + op.ns) {
    event_began_ = 0;
    return done();
  }
  return run(kBurst);
}

Thread::Steps Thread::meet(Barrier& barrier, Machine& machine) {
  switch (met_) {
    case Met::kNothing:
      if (!barrier.mutex.lock(self_)) return kBlock;
      if (barrier.missing == 0) {
        met_ = Met::kLock;
        if (barrier.condition.wake_all(machine)) return kInstant;
        break;
      }
      --barrier.missing;
      met_ = Met::kSleep;
      barrier.condition.add(self_);
      barrier.mutex.unlock(machine);
      return kInstant;
    case Met::kSleep:  // the last has come
      if (!barrier.mutex.lock(self_)) return kBlock;
      ++barrier.missing;
      break;
    case Met::kLock:
      break;
  }
  met_ = Met::kNothing;
  return done_waking(barrier.mutex.unlock(machine));
}

Thread::Steps Thread::done_waking(bool woken) { return woken ? Steps{done(kInstant)} : done(); }

// Who is woken may find that somebody was faster.
Thread::Steps Thread::take(Semaphore& semaphore) {
  if (semaphore.count == 0) {
    semaphore.queue.add(self_);
    return kBlock;
  }
  --semaphore.count;
  return done();
}

}  // namespace cppland::sim::rtapp
