// SPDX-License-Identifier: GPL-2.0-only
// hotplug.cc - CPUs of the modelled machine that come and go, and tasks of other classes.
#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kLookAgain = 500'000;  // ns; whether a CPU that goes is empty

}  // namespace

// kernel/sched/core.c, sched_cpu_deactivate(); ext.c, scx_rq_deactivate() and handle_hotplug().
void Machine::offline(int cpu) {
  const auto id = static_cast<unsigned>(cpu);
  if (!active_.test(id)) return;
  active_.clear(id);
  idle_.clear(id);
  this_cpu_ = static_cast<int>(active_.first());
  if (attached_) call(kKfUnlocked, [&] { dispatcher().ops->cpu_offline(cpu); });
  reschedule(cpu, true);
  try_to_go(cpus_[id]);
}

// sched_cpu_activate(); ext.c, scx_rq_activate().
void Machine::online(int cpu) {
  const auto id = static_cast<unsigned>(cpu);
  if (active_.test(id)) return;
  active_.set(id);
  online_.set(id);
  this_cpu_ = cpu;
  if (attached_) call(kKfUnlocked, [&] { dispatcher().ops->cpu_online(cpu); });
  CpuState& state = cpus_[id];
  if (!state.task) {
    state.idle_since = now_;
    go_idle(state);
  }
  reschedule(cpu, true);
}

bool Machine::is_leaving(int cpu) const {
  const auto id = static_cast<unsigned>(cpu);
  return online_.test(id) && !active_.test(id);
}

// balance_hotplug_wait(): the CPU goes when nothing is left that is runnable in its name.
void Machine::try_to_go(CpuState& cpu) {
  if (!is_leaving(cpu.id)) return;
  for (const auto& task : tasks_) {
    const bool runnable = task->state == TaskState::kWaiting || task->state == TaskState::kRunning;
    if (!runnable || task->on_cpu != cpu.id) continue;
    post(now_ + kLookAgain, Event::Kind::kOffline, static_cast<std::uint64_t>(cpu.id));
    return;
  }
  online_.clear(static_cast<unsigned>(cpu.id));
}

// balance_push() and __balance_push_cpu_stop(): what a CPU that goes has picked is sent elsewhere.
// Its own kernel threads are not.
bool Machine::push_away(CpuState& cpu, Task& task) {
  if (may_run_on(task, cpu.id)) return false;
  take_off(task);
  move_queued(task);
  return true;
}

// ext.c, switch_class(): the callback hears of it if the CPU ran a task of ours, and what waits in
// the local queue stays there unless it is enqueued anew.
void Machine::release(CpuState& cpu) {
  const int before = std::exchange(this_cpu_, cpu.id);
  call(kKfCpuRelease, [&] { dispatcher().ops->cpu_release(cpu.id, nullptr); });
  this_cpu_ = before;
}

void Machine::steal(int cpu, std::uint64_t ns) {
  CpuState& state = cpus_[index(cpu)];
  // balance_push(): a CPU that goes sends such a one elsewhere, too.
  if (!active_.test(static_cast<unsigned>(cpu))) return;
  this_cpu_ = cpu;
  if (state.resched && !state.task) late_kick_at_ = now_;
  state.stolen_until = std::max(state.stolen_until, now_ + ns);
  idle_.clear(static_cast<unsigned>(cpu));
  if (attached_) {
    const bool ran = state.task != nullptr;
    state.resched = true;
    schedule(state);
    if (ran) release(state);
  }
  post(state.stolen_until, Event::Kind::kReturn, static_cast<std::uint64_t>(cpu));
}

// core.c, __sched_setscheduler(): taken out, and put into the other class.
void Machine::leave_class(Task& task) {
  if (task.state != TaskState::kWaiting && task.state != TaskState::kRunning) return;
  take_off(task);
  task.scx.flags &= ~static_cast<u32>(SCX_TASK_QUEUED);
  task.state = TaskState::kAway;
}

void Machine::join_class(Task& task) {
  if (task.state != TaskState::kAway) return;
  task.scx.flags |= SCX_TASK_QUEUED;
  task.state = TaskState::kWaiting;
  task.runnable_since = now_;
  move_queued(task);
}

}  // namespace cppland::sim
