// SPDX-License-Identifier: GPL-2.0-only
// ext.cc - the class sched_ext of the modelled machine, after kernel/sched/ext.c.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kDefaultSlice = 20'000'000;  // SCX_SLICE_DFL
constexpr int kMaxLoops = 32;                        // SCX_DSP_MAX_LOOPS

}  // namespace

void Machine::end_scheduler(int kind, std::string message) {
  if (!attached_) return;
  attached_ = false;
  exit_ = {kind, std::move(message)};
  for (std::size_t d = 0; d < domains_.size(); ++d)
    for (const std::uint32_t reign : {0U, 1U}) channel(d, reign).dispatcher.attached = 0;
}

// kernel/sched/core.c, is_cpu_allowed(): a CPU that goes keeps its own kernel threads to the end.
bool Machine::may_run_on(const Task& task, int cpu) const {
  const auto id = static_cast<unsigned>(cpu);
  const CpuSet& usable = is_per_cpu_thread(task) ? online_ : active_;
  return cpu >= 0 && usable.test(id) && task.allowed.test(id);
}

bool Machine::is_per_cpu_thread(const Task& task) {
  return (task.task_struct::flags & PF_KTHREAD) != 0 && task.nr_cpus_allowed == 1;
}

// ext.c, consume_dispatch_q() and task_can_run_on_remote_rq(): what waits on a CPU's own runqueue
// it may always take, and from others only while it does not go.
bool Machine::may_consume(const Task& task, int cpu) const {
  const auto id = static_cast<unsigned>(cpu);
  return task.on_cpu == cpu || (task.allowed.test(id) && active_.test(id));
}

// kernel/sched/core.c, select_fallback_rq(): a task that may run nowhere any more may run anywhere.
int Machine::fallback_cpu(Task& task) {
  if (may_run_on(task, task.on_cpu)) return task.on_cpu;
  const CpuSet cpus = task.allowed & (is_per_cpu_thread(task) ? online_ : active_);
  if (!cpus.empty()) return static_cast<int>(cpus.first());
  task.allowed = possible_;
  task.nr_cpus_allowed = static_cast<int>(possible_.count());
  return static_cast<int>(active_.first());
}

// --- a task begins to wait ---

// kernel/sched/core.c, try_to_wake_up() and wake_up_new_task(); ext.c, select_task_rq_scx().
void Machine::wake_up(Task& task, std::uint64_t wake_flags, bool fork) {
  constexpr std::uint64_t kWakeTtwu = 0x08;  // SCX_WAKE_TTWU
  constexpr std::uint64_t kWakeFork = 0x04;  // SCX_WAKE_FORK
  spent_ += options_.costs.wake_up;
  task.state = TaskState::kWaiting;
  task.woken_at = task.runnable_since = now_;
  observer_->woke(task, now_);
  std::uint64_t flags = 0;
  if (!fork) flags |= SCX_ENQ_WAKEUP;
  int cpu = task.on_cpu;
  if (task.nr_cpus_allowed > 1) {
    being_inserted_ = &task;
    cpu = call(kKfEnqueue | kKfSelectCpu, [&] {
      return dispatcher().ops->select_cpu(&task, task.on_cpu,
                                          wake_flags | (fork ? kWakeFork : kWakeTtwu));
    });
    being_inserted_ = nullptr;
    flags |= SCX_ENQ_CPU_SELECTED;
    if (cpu < 0 || !possible_.test(static_cast<unsigned>(cpu))) {
      end_scheduler(Exit::kError, fmt::format("invalid CPU {} from ops.select_cpu()", cpu));
      return;
    }
  }
  if (!may_run_on(task, cpu)) cpu = fallback_cpu(task);
  task.on_cpu = cpu;
  task.scx.flags |= SCX_TASK_QUEUED;
  enqueue(task, flags);
  // core.c, wakeup_preempt(): a runqueue that is idle looks for work, wherever the dispatcher has
  // put the task.
  if (!cpus_[index(cpu)].task) reschedule(cpu, cpu != this_cpu_);
}

// ext.c, do_enqueue_task(). Nobody is asked about a task on a CPU that goes, nor, without
// SCX_OPS_ENQ_EXITING, about one that exits.
void Machine::enqueue(Task& task, std::uint64_t flags) {
  task.state = TaskState::kWaiting;
  if (is_held(task.on_cpu)) {
    enqueue_later(task, flags);
    return;
  }
  const bool exits = (task.task_struct::flags & kExiting) != 0;
  if (!active_.test(static_cast<unsigned>(task.on_cpu)) || (exits && !task.insertion)) {
    put_into_local_unasked(task, flags);
    return;
  }
  if (!task.insertion) {
    being_inserted_ = &task;
    locked_.push_back(task.on_cpu);
    call(kKfEnqueue, [&] { dispatcher().ops->enqueue(&task, flags); });
    locked_.pop_back();
    being_inserted_ = nullptr;
  }
  std::optional<Task::Insertion> where = std::exchange(task.insertion, std::nullopt);
  if (!where) {  // it is the dispatcher's to insert, or to forget
    task.given = ++nr_given_;
    return;
  }
  where->flags |= flags;
  insert_now(task, *where);
}

void Machine::enqueue_later(Task& task, std::uint64_t flags) {
  later([this, &task, flags] {
    if (task.state != TaskState::kWaiting || task.queue) return;  // moved meanwhile
    enqueue(task, flags);
    if (!cpu_of(task).task) reschedule(task.on_cpu, task.on_cpu != this_cpu_);
  });
}

void Machine::put_into_local_unasked(Task& task, std::uint64_t flags) {
  task.insertion.reset();
  task.scx.slice = kDefaultSlice;
  put_into_local(cpu_of(task), task, flags);
}

// ext.c, direct_dispatch(), find_dsq_for_dispatch() and dispatch_to_local_dsq(): what is sent to
// another CPU that goes waits for any CPU.
void Machine::insert_now(Task& task, const Task::Insertion& where) {
  if (where.dsq == kGlobalQueue) {
    link(global_, task, false, where.flags);
    return;
  }
  if ((where.dsq & SCX_DSQ_LOCAL_ON) == 0) {
    link(*queues_.at(where.dsq), task, where.by_vtime, where.flags);
    return;
  }
  int cpu = task.on_cpu;
  if (where.dsq != SCX_DSQ_LOCAL) {
    cpu = static_cast<int>(where.dsq & 0xffffffffU);
    if (is_held(cpu)) {
      later([this, &task, where] {
        if (task.state == TaskState::kWaiting && !task.queue) insert_now(task, where);
      });
      return;
    }
    if (task.on_cpu != cpu && !task.allowed.test(static_cast<unsigned>(cpu))) {
      end_scheduler(Exit::kError, fmt::format("SCX_DSQ_LOCAL[_ON] target CPU {} not allowed "
                                              "for {}[{}]",
                                              cpu, task.name, task.pid));
      return;
    }
    if (!may_consume(task, cpu)) {
      link(global_, task, false, where.flags);
      return;
    }
  }
  put_into_local(cpus_[index(cpu)], task, where.flags);
}

// ext.c, dispatch_enqueue(): a queue of the scheduler's own.
void Machine::link(DispatchQueue& to, Task& task, bool by_vtime, std::uint64_t flags) {
  if (!to.empty() && to.by_vtime() != by_vtime) {
    end_scheduler(Exit::kError, fmt::format("DSQ ID 0x{:x} already had {}-enqueued tasks", to.id(),
                                            by_vtime ? "FIFO" : "PRIQ"));
    return;
  }
  if (by_vtime) {
    to.insert(task, task.scx.dsq_vtime);
  } else if ((flags & (SCX_ENQ_HEAD | SCX_ENQ_PREEMPT)) != 0) {
    to.push_front(task);
  } else {
    to.push_back(task);
  }
}

// ext.c, dispatch_enqueue() and local_dsq_post_enq().
void Machine::put_into_local(CpuState& cpu, Task& task, std::uint64_t flags) {
  task.on_cpu = cpu.id;
  const bool at_head = (flags & (SCX_ENQ_HEAD | SCX_ENQ_PREEMPT)) != 0;
  if (at_head) {
    cpu.local.push_front(task);
  } else {
    cpu.local.push_back(task);
  }
  if (cpu.in_dispatch) return;
  if (!cpu.task) {
    reschedule(cpu.id, cpu.id != this_cpu_);
    return;
  }
  if ((flags & SCX_ENQ_PREEMPT) != 0 && cpu.task != &task) {
    charge(cpu);
    cpu.task->scx.slice = 0;
    reschedule(cpu.id, cpu.id != this_cpu_);
  }
}

// --- a CPU changes what it runs ---

void Machine::reschedule(int cpu, bool from_other) {
  CpuState& state = cpus_[index(cpu)];
  if (std::exchange(state.resched, true)) return;
  const std::uint64_t delay = spent_ + (from_other ? options_.costs.interrupt_to_cpu : 0);
  post(now_ + delay, Event::Kind::kResched, static_cast<std::uint64_t>(cpu));
}

// kernel/sched/core.c, __schedule(): pick, put the last one, switch.
void Machine::schedule(CpuState& cpu) {
  cpu.resched = false;
  if (!online_.test(static_cast<unsigned>(cpu.id))) return;
  Task* prev = cpu.task;
  if (prev) charge(cpu);
  const bool prev_ready = prev && (prev->scx.flags & SCX_TASK_QUEUED) != 0;
  Task* next = is_stolen(cpu.id) ? nullptr : pick(cpu, prev, prev_ready);
  if (exit_.kind != Exit::kNone) return;
  while (next && is_leaving(cpu.id) && push_away(cpu, *next)) next = pick(cpu, nullptr, false);
  if (exit_.kind != Exit::kNone) return;
  if (next == prev && prev) {
    cpu.works_from = std::max(cpu.works_from, now_) + spent_;
    plan_stop(cpu);
    return;
  }
  if (prev) {
    if (cpu.task == prev) {
      observer_->ended(*prev, cpu.id, now_);
      cpu.task = nullptr;
      ++cpu.stop;
      if (prev_ready) put_prev(cpu, *prev, !next && !is_stolen(cpu.id));
    }
    if (prev->state == TaskState::kDead) {
      call(kKfRest, [&] { dispatcher().ops->exit_task(prev, nullptr); });
      // kernel/exit.c: its file descriptors are closed, and with the last link the scheduler goes.
      if (links_.erase(prev->tgid) != 0 && links_.empty())
        end_scheduler(Exit::kUnregistered, "unregistered from user space");
    }
  }
  if (exit_.kind != Exit::kNone) return;
  if (next) {
    switch_to(cpu, next);
    return;
  }
  go_idle(cpu);
  // kernel/cpu.c, cpuhp_thread_fun(): the thread that takes a CPU down switches there all the
  // while.
  if (is_leaving(cpu.id) && !is_stolen(cpu.id) && !cpu.local.empty()) reschedule(cpu.id, false);
}

// ext.c, put_prev_task_scx(): one that has time left keeps its place; another is told of as the
// last one if the CPU becomes idle, since the loader asks for SCX_OPS_ENQ_LAST.
void Machine::put_prev(CpuState& cpu, Task& prev, bool last) {
  prev.state = TaskState::kWaiting;
  prev.runnable_since = now_;
  cpu.in_dispatch = true;  // it is about to change what it runs in any case
  if (prev.scx.slice > 0) {
    put_into_local(cpu, prev, SCX_ENQ_HEAD);
  } else {
    enqueue(prev, last ? std::uint64_t{SCX_ENQ_LAST} : 0);
  }
  cpu.in_dispatch = false;
}

// ext.c, balance_one() and pick_task_scx(). A CPU that goes asks for nothing any more.
Task* Machine::pick(CpuState& cpu, Task* prev, bool prev_ready) {
  bool keep = prev_ready && prev->scx.slice > 0;
  if (!keep && cpu.local.empty() && !consume(cpu, global_) &&
      active_.test(static_cast<unsigned>(cpu.id))) {
    cpu.in_dispatch = true;
    for (int loops = kMaxLoops;;) {
      cpu.dispatched = 0;
      dispatch(cpu, prev);
      if (prev_ready && prev->scx.slice > 0) keep = true;
      if (keep || !cpu.local.empty() || consume(cpu, global_)) break;
      if (--loops == 0) {
        kick(cpu.id, 0);
        break;
      }
      if (cpu.dispatched == 0 || exit_.kind != Exit::kNone) break;
    }
    cpu.in_dispatch = false;
  }
  Task* next = keep ? prev : static_cast<Task*>(cpu.local.first());
  if (next && next->scx.slice == 0) next->scx.slice = kDefaultSlice;
  return next;
}

void Machine::dispatch(CpuState& cpu, Task* prev) {
  spent_ += options_.costs.dispatch;
  call(kKfDispatch, [&] { dispatcher().ops->dispatch(cpu.id, prev); });
  flush(cpu);
}

// ext.c, flush_dispatch_buf().
void Machine::flush(CpuState& cpu) {
  const std::vector<Inserted> all = std::exchange(cpu.inserted, {});
  for (const Inserted& each : all) finish_dispatch(cpu, each);
  cpu.dispatched += all.size();
}

// ext.c, finish_dispatch(): a task that is not the dispatcher's, or not any more, stays where it
// is.
void Machine::finish_dispatch(CpuState& cpu, const Inserted& inserted) {
  Task& task = *inserted.task;
  if (task.given == 0 || task.given != inserted.given) return;
  task.given = 0;
  Task::Insertion where = inserted.where;
  if (where.dsq == SCX_DSQ_LOCAL) where.dsq = SCX_DSQ_LOCAL_ON | static_cast<unsigned>(cpu.id);
  insert_now(task, where);
}

// ext.c, consume_dispatch_q().
bool Machine::consume(CpuState& cpu, DispatchQueue& from) {
  for (QueuePlace* place = from.first(); place; place = from.after(*place)) {
    Task& task = *static_cast<Task*>(place);
    if (!may_consume(task, cpu.id)) continue;
    from.remove(task);
    put_into_local(cpu, task, 0);
    return true;
  }
  return false;
}

// ext.c, scx_bpf_kick_cpu(): kick_cpus_irq_workfn() does it, once interrupts are enabled.
void Machine::kick(int cpu, std::uint64_t flags) {
  later([this, cpu, flags] { kick_now(cpu, flags); });
}

// ext.c, kick_one_cpu() and kick_one_cpu_if_idle().
void Machine::kick_now(int cpu, std::uint64_t flags) {
  if (is_held(cpu)) {
    kick(cpu, flags);
    return;
  }
  CpuState& state = cpus_[index(cpu)];
  if ((flags & SCX_KICK_IDLE) != 0 && (state.task || is_stolen(cpu))) {
    late_kick_at_ = now_;
    return;
  }
  if ((flags & SCX_KICK_PREEMPT) != 0 && state.task) {
    charge(state);
    state.task->scx.slice = 0;
  }
  reschedule(cpu, cpu != this_cpu_);
}

// ext.c, set_next_task_scx().
void Machine::switch_to(CpuState& cpu, Task* next) {
  if (next->queue) next->queue->remove(*next);
  idle_.clear(static_cast<unsigned>(cpu.id));
  if (std::exchange(cpu.idle, false)) cpu.idle_ns += now_ - cpu.idle_since;
  tell_of_idleness(cpu, false);
  spent_ += options_.costs.context_switch + cost_of_moving(*next, cpu.id);
  cpu.task = next;
  cpu.charged_at = now_;
  cpu.works_from = now_ + spent_;
  next->migrations += next->ran_on >= 0 && next->ran_on != cpu.id;
  next->on_cpu = next->ran_on = cpu.id;
  next->state = TaskState::kRunning;
  call(kKfRest, [&] { dispatcher().ops->running(next); });
  observer_->began(*next, cpu.id, cpu.works_from);
  next->woken_at = 0;
  start_tick(cpu);
  note_siblings(cpu);
  plan_stop(cpu);
}

// kernel/time/tick-sched.c: ticks are multiples of the period.
void Machine::start_tick(CpuState& cpu) {
  if (std::exchange(cpu.ticking, true)) return;
  const std::uint64_t tick = options_.tick_ns;
  post((now_ / tick + 1) * tick, Event::Kind::kTick, static_cast<std::uint64_t>(cpu.id));
}

std::uint64_t Machine::cost_of_moving(const Task& task, int cpu) const {
  if (task.ran_on < 0 || task.ran_on == cpu) return 0;
  const bool cold = cpus_[index(task.ran_on)].info->llc != cpus_[index(cpu)].info->llc;
  return options_.costs.migration + (cold ? options_.costs.cold_cache : 0);
}

// ext_idle.c, __scx_update_idle(): the mask first, then the dispatcher's callback.
void Machine::go_idle(CpuState& cpu) {
  const bool runs_idle_thread = !is_stolen(cpu.id);
  if (!std::exchange(cpu.idle, true)) cpu.idle_since = now_;
  if (runs_idle_thread) idle_.set(static_cast<unsigned>(cpu.id));
  note_siblings(cpu);
  tell_of_idleness(cpu, runs_idle_thread);
}

// kernel/sched/idle.c, set_next_task_idle() and put_prev_task_idle(): told is who comes from
// another task, or goes to one; not who looks for work and finds none.
void Machine::tell_of_idleness(CpuState& cpu, bool idle) {
  if (std::exchange(cpu.runs_idle_thread, idle) == idle || !attached_) return;
  if (dispatcher().ops->update_idle)
    call(kKfRest, [&] { dispatcher().ops->update_idle(cpu.id, idle); });
}

}  // namespace cppland::sim
