// SPDX-License-Identifier: GPL-2.0-only
// agent.cc - what an agent gets wrong in a chaotic run.
#include "sim/chaos/agent.h"

#include <algorithm>

namespace cppland::sim {

std::size_t ChaosKernel::read_events(std::span<cppland_event> out) noexcept {
  if (delays) out = out.first(random_.below(out.size()));
  const std::size_t n = SimKernel::read_events(out);
  for (const cppland_event& event : out.first(n)) {
    if (event.type != CPPLAND_EVENT_READY) continue;
    remember(event);
    if (heard_.size() < 64) {
      heard_.push_back(event);
    } else {
      heard_[random_.below(heard_.size())] = event;
    }
  }
  return n;
}

void ChaosKernel::remember(const cppland_event& event) {
  const auto [known, first] = latest_.try_emplace(event.tid, event.generation);
  if (first) return;
  over_.push_back({event.tid, std::exchange(known->second, event.generation)});
  if (over_.size() > 32) over_.pop_front();
}

std::size_t ChaosKernel::write_decisions(std::span<const cppland_decision> decisions) noexcept {
  if (hostile) {
    std::vector<cppland_decision> noise(1 + random_.below(8));
    std::ranges::generate(noise, [this] { return make_up(); });
    SimKernel::write_decisions(noise);
  }
  if (stale) repeat_old();
  if (!forgetful && !misplaces && named_percent_ == 0) return SimKernel::write_decisions(decisions);
  std::size_t n = 0;
  for (cppland_decision d : decisions) {
    place(d);
    const bool forgets = forgetful && random_.one_in(16);
    if (!forgets && SimKernel::write_decisions({&d, 1}) == 0) break;
    ++n;
  }
  return n;
}

// What was right for an earlier wait of a task that by now has begun another.
void ChaosKernel::repeat_old() {
  const std::uint64_t n = over_.empty() ? 0 : 1 + random_.below(8);
  for (std::uint64_t i = 0; i < n; ++i) {
    const Wait& wait = over_[random_.below(over_.size())];
    cppland_decision d{};
    d.op = CPPLAND_DECIDE_RUN;
    d.domain = domain_;
    d.tid = wait.tid;
    d.generation = wait.generation;
    d.key = kHostileKey;
    d.cpu = CPPLAND_CPU_ANY;
    SimKernel::write_decisions({&d, 1});
  }
}

// Sends its task to one CPU: to one that it may use, or anywhere.
void ChaosKernel::place(cppland_decision& d) {
  if (misplaces) d.cpu = static_cast<std::int32_t>(random_.below(12)) - 2;
  if (misplaces && random_.one_in(8)) d.slice_ns = random_.below(1'000'000'000);
  if (random_.below(100) >= named_percent_) return;
  for (const auto& task : Machine::current().tasks()) {
    if (task->pid != d.tid) continue;
    const CpuSet cpus = task->allowed & Machine::current().active();
    std::uint64_t skip = random_.below(cpus.count());
    for (const unsigned cpu : cpus)
      if (skip-- == 0) d.cpu = static_cast<std::int32_t>(cpu);
  }
}

// A decision for a wait that is over or never was, or one that makes no sense.
cppland_decision ChaosKernel::make_up() {
  cppland_decision d{};
  d.op = CPPLAND_DECIDE_RUN;
  if (random_.one_in(4)) d.op = static_cast<std::uint32_t>(random_.below(5));
  d.tid = static_cast<std::int32_t>(95 + random_.below(40));
  d.generation = random_.below(1'000);
  if (!heard_.empty() && !random_.one_in(4)) {
    const cppland_event& event = heard_[random_.below(heard_.size())];
    d.tid = event.tid;
    d.generation = event.generation - 1;
  }
  d.key = kHostileKey;
  d.slice_ns = random_.below(1'000'000'000'000);
  d.cpu = static_cast<std::int32_t>(random_.below(12)) - 4;
  d.domain = random_.one_in(8) ? 7 : domain_;
  // Credit is the task's, not a wait's: what it may be given it may be given late.
  if (d.op == CPPLAND_DECIDE_CREDIT) d.wake_credit_ns = random_.below(1'000'000);
  return d;
}

void ChaosKernel::park(std::uint32_t nr_scheduled) noexcept {
  SimKernel::park(nr_scheduled);
  // As if nothing had been read for long: the dispatcher takes the ring for full.
  if (full_ring) channel().agent.event_tail -= CPPLAND_EVENT_SLOTS;
}

Step ChaosAgent::next(Machine& machine, sim::Task& task) {
  const Step step = agent_.next(machine, task);
  if (step.kind != Step::Kind::kRun) return step;
  // In the middle of a pass.
  if (killed_) return {Step::Kind::kExit, 0};
  if (stopped_) return {Step::Kind::kBlock, 0};
  if (stall_us_ != 0) return {Step::Kind::kRun, std::exchange(stall_us_, 0) * 1'000};
  return step;
}

void ChaosAgent::disturb(const ChaosStep& step) {
  switch (step.what) {
    case Disturbance::kStall:
      stall_us_ = step.value;
      return;
    case Disturbance::kStopAgent:
    case Disturbance::kContinueAgent:
      stopped_ = step.what == Disturbance::kStopAgent;
      return;
    case Disturbance::kKillAgent:
      killed_ = true;
      return;
    case Disturbance::kHostile:
    case Disturbance::kHonest:
      kernel_->hostile = step.what == Disturbance::kHostile;
      return;
    case Disturbance::kDelayEvents:
    case Disturbance::kDelayNone:
      kernel_->delays = step.what == Disturbance::kDelayEvents;
      return;
    case Disturbance::kFullRing:
    case Disturbance::kFreeRing:
      kernel_->full_ring = step.what == Disturbance::kFullRing;
      return;
    case Disturbance::kStale:
    case Disturbance::kFresh:
      kernel_->stale = step.what == Disturbance::kStale;
      return;
    case Disturbance::kForgetful:
    case Disturbance::kMindful:
      kernel_->forgetful = step.what == Disturbance::kForgetful;
      return;
    case Disturbance::kMisplace:
    case Disturbance::kPlace:
      kernel_->misplaces = step.what == Disturbance::kMisplace;
      return;
    default:
      return;
  }
}

}  // namespace cppland::sim
