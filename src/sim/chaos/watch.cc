// SPDX-License-Identifier: GPL-2.0-only
// watch.cc - the promises, one by one.
#include "sim/chaos/watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernel/shared_rings.h"
#include "sim/chaos/agent.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kQueues = 5;              // of each domain: bpf/state.bpf.h, enum dsq_kind
constexpr std::uint64_t kAsked = 2;               // ... ASKED of them
constexpr std::uint64_t kRescueEvery = 50 * kMs;  // rescue_every_ns of bpf/state.bpf.h
constexpr std::uint64_t kTick = 4 * kMs;
constexpr std::uint64_t kSlice = 100 * kMs;  // slice_max_ns of bpf/state.bpf.h
constexpr std::uint64_t kGone = 30 * kMs;    // within that a CPU that shall go is gone

bool is_of_domains(const DispatchQueue& queue) {
  return queue.id() >= CPPLAND_MAX_CPUS &&
         queue.id() < CPPLAND_MAX_CPUS + kQueues * CPPLAND_MAX_DOMAINS;
}

}  // namespace

Watch::Watch(const ChaosPlan& plan)
    : plan_(plan),
      agent_is_sound_(plan.agent_is_sound()),
      contest_(plan),
      leaves_since_(plan.nr_cpus) {}

void Watch::started(const Task& task, ChaosTaskKind kind) {
  // One that comes later is not like those that were there from the beginning.
  known_.push_back({.task = &task, .kind = kind, .disturbed = Machine::current().attached()});
  const bool is_hog = kind == ChaosTaskKind::kHog || kind == ChaosTaskKind::kSleeper;
  if (is_hog && !known_.back().disturbed) contest_.add(task);
}

void Watch::disturbed(const Task& task) {
  for (Known& known : known_)
    if (known.task == &task) known.disturbed = true;
}

void Watch::note(std::string_view what, const Task& task, int cpu, std::uint64_t at) const {
  if (!tells_) return;
  fmt::print("{:>10} {:<6} {}", at / 1'000, what, task.name);
  if (cpu >= 0) fmt::print(" on CPU {}", cpu);
  fmt::print("\n");
}

void Watch::settled(Machine& machine) {
  if (!wrong_.empty()) return;
  if (machine.exit().kind != Exit::kNone) {
    const bool killed = std::ranges::any_of(
        agents_, [](const Task* agent) { return agent->state == TaskState::kDead; });
    if (!killed || machine.exit().kind != Exit::kUnregistered)
      wrong_ = fmt::format("the kernel ended it: {}", machine.exit().message);
    return;
  }
  wrong_ = look(machine);
  if (!wrong_.empty()) wrong_ = fmt::format("at {} us: {}", machine.now() / 1'000, wrong_);
}

std::string Watch::look(const Machine& machine) {
  for (Known& known : known_) {
    const Task& task = *known.task;
    if (auto wrong = look_at_task(machine, task); !wrong.empty()) return wrong;
    if (!(task.allowed == known.allowed)) {
      known.allowed = task.allowed;
      known.allowed_since = machine.now();
    }
    const bool bound = task.queue && task.queue->id() < CPPLAND_MAX_CPUS;
    if (known.bound && !bound) known.freed_at = machine.now();
    known.bound = bound;
    const bool asked = task.queue && is_of_domains(*task.queue) &&
                       (task.queue->id() - CPPLAND_MAX_CPUS) % kQueues == kAsked;
    if (!asked || known.asked_since == 0) known.asked_since = asked ? machine.now() : 0;
    if (task.state != TaskState::kWaiting) continue;
    if (auto wrong = look_at_waiting(machine, known); !wrong.empty()) return wrong;
  }
  if (auto wrong = look_at_cpus(machine); !wrong.empty()) return wrong;
  return look_at_agents_work(machine);
}

std::string Watch::look_at_task(const Machine& machine, const Task& task) {
  int running = 0;
  for (int cpu = 0; cpu < static_cast<int>(plan_.nr_cpus); ++cpu)
    running += machine.running_on(cpu) == &task;
  if (running != (task.state == TaskState::kRunning))
    return fmt::format("{} runs on {} CPUs", task.name, running);
  if (task.state == TaskState::kRunning && !task.allowed.test(static_cast<unsigned>(task.on_cpu)))
    return fmt::format("{} runs on CPU {}, which it may not", task.name, task.on_cpu);
  if ((task.state == TaskState::kWaiting) != (task.queue != nullptr))
    return fmt::format("{} is {} a queue", task.name, task.queue ? "asleep in" : "waiting in not");
  if (task.queue && task.queue->id() < CPPLAND_MAX_CPUS &&
      !task.allowed.test(static_cast<unsigned>(task.queue->id())))
    return fmt::format("{} waits for CPU {}, which it may not use", task.name, task.queue->id());
  if (task.scx.slice > kSlice)
    return fmt::format("{} may run for {} ms", task.name, task.scx.slice / kMs);
  if (task.vtime == kHostileKey)
    return fmt::format("{} is where a decision for another wait put it", task.name);
  // What finds the ring full is not told of.
  if (task.state == TaskState::kDead && told_.misses(task, machine.now()) &&
      counter(Machine::shm(), CPPLAND_NR_SCHED_CONGESTED) == 0)
    return fmt::format("the agent has not been told that {} is gone", task.name);
  return {};
}

std::string Watch::look_at_cpus(const Machine& machine) {
  for (unsigned cpu = 0; cpu < plan_.nr_cpus; ++cpu) {
    std::uint64_t& since = leaves_since_[cpu];
    if (!machine.is_leaving(static_cast<int>(cpu))) {
      since = 0;
    } else if (since == 0) {
      since = machine.now();
    } else if (machine.now() - since > kGone) {
      return fmt::format("CPU {} shall go offline and has not for {} ms", cpu, kGone / kMs);
    }
  }
  return {};
}

std::string Watch::look_at_waiting(const Machine& machine, const Known& known) const {
  const Task& task = *known.task;
  const bool is_exempt = (task.task_struct::flags & PF_KTHREAD) != 0 && task.nr_cpus_allowed == 1;
  if (is_exempt && (task.queue->id() < CPPLAND_MAX_CPUS || is_of_domains(*task.queue)))
    return fmt::format("{} waits with others in queue {:#x}", task.name, task.queue->id());
  const std::uint64_t waited = machine.now() - task.runnable_since;
  if (waited < kMs) return {};  // its CPU may be on its way
  // The kernel itself puts one that exits into the local queue where it is.
  const bool exits = (task.task_struct::flags & kExiting) != 0;
  const bool may = !exits && machine.now() - known.allowed_since > kMs;
  // A CPU that is claimed for it may come to look for work a moment before it is queued, and take
  // another task; then it is found when one of the running CPUs next looks.
  const bool late_kick = machine.now() - machine.late_kick_at() < 2 * kTick;
  const std::uint64_t patience = late_kick ? kTick + kMs : kMs;
  const std::uint64_t since =
      known.bound ? task.runnable_since : std::max(task.runnable_since, known.freed_at);
  for (const unsigned cpu : task.allowed) {
    const int id = static_cast<int>(cpu);
    if (known.bound && task.queue->id() != cpu) continue;
    if (may && machine.now() - since > patience && cpu < plan_.nr_cpus &&
        machine.idle_for(id) > patience)
      return fmt::format("{} waits in queue {:#x}, on CPU {}'s runqueue, while CPU {} is idle",
                         task.name, task.queue->id(), task.on_cpu, cpu);
  }
  // What is late comes to the CPUs when the slice that runs there is over, and then with a tick.
  const std::uint64_t asked = known.asked_since == 0 ? 0 : machine.now() - known.asked_since;
  if (agent_is_sound_ && asked > kForget)
    return fmt::format("{} has been forgotten by a policy that does its work", task.name);
  if (asked > kForget + kRescueEvery + kSlice + 2 * kTick)
    return fmt::format("{} has been asked about for {} ms", task.name, asked / kMs);
  // Who is rescued waits for one tick's time of everybody who is rescued with it, and, if it is not
  // among the first of HELD, for those before it.
  const std::uint64_t slice = agent_is_sound_ ? 0 : kSlice;
  const std::uint64_t longest = slice + kStarve + kRescueEvery + 2 * (known_.size() + 4) * kTick;
  if (waited > longest)
    return fmt::format("{} has waited for {} ms in queue {:#x}", task.name, waited / kMs,
                       task.queue->id());
  return {};
}

// The time that the machine goes on without the agent is part of all the time.
std::string Watch::look_at_failovers(std::uint64_t at) {
  at *= Machine::shm().nr_domains;
  const std::uint64_t without = counter(Machine::shm(), CPPLAND_FAILOVER_NS);
  if (without <= at) return {};
  return fmt::format("{} of {} us were without the agent", without / 1'000, at / 1'000);
}

std::string Watch::look_at_agents_work(const Machine& machine) {
  const std::uint64_t at = machine.now() - began_at_;
  if (auto wrong = told_.listen(machine, plan_.interleave_percent == 0); !wrong.empty())
    return wrong;
  if (auto wrong = look_at_failovers(at); !wrong.empty()) return wrong;
  if (auto wrong = contest_.look(at); !wrong.empty()) return wrong;
  if (!agent_is_sound_) return {};
  const auto n = [](cppland_counter which) { return counter(Machine::shm(), which); };
  if (n(CPPLAND_NR_FAILED_DISPATCHES) != 0) return "a sound agent's decision made no sense";
  if (n(CPPLAND_NR_SCHED_CONGESTED) != 0) return "there was no room for an event";
  return {};
}

void Watch::look_back(const Machine& machine) {
  if (!machine.attached()) return;
  wrong_ = contest_.look_back();
  if (!wrong_.empty()) return;
  if (plan_.policy != "deadline" || !plan_.has_one_policy()) return;
  if (!agent_is_sound_ || cpus_disturbed_) return;
  if (plan_.shape != ChaosShape::kFlat) return;
  std::vector<std::uint64_t> shares;
  for (const Known& known : known_) {
    if (known.kind != ChaosTaskKind::kHog || known.disturbed || known.task->nice != 0) continue;
    if (known.task->nr_cpus_allowed != static_cast<int>(plan_.nr_cpus)) continue;
    shares.push_back(known.task->se.sum_exec_runtime);
  }
  if (shares.size() < 2) return;
  const auto [least, most] = std::ranges::minmax(shares);
  if (most - least > 40 * kMs)
    wrong_ = fmt::format("hogs that are alike got {} and {} us", least / 1'000, most / 1'000);
}

}  // namespace cppland::sim
