// SPDX-License-Identifier: GPL-2.0-only
// idle.cc - which idle CPU, after kernel/sched/ext_idle.c.
#include <algorithm>

#include "kernel/sim/kernel_types.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// scx_idle_test_and_clear_cpu().
bool Machine::claim_idle(int cpu) {
  CpuState& state = cpus_[index(cpu)];
  const bool was_idle = state.idle_bit;
  state.idle_bit = false;
  return was_idle;
}

bool Machine::core_is_idle(int cpu) const {
  const unsigned core = topology_.find(static_cast<unsigned>(cpu))->core;
  return std::ranges::all_of(topology_.cpus(), [&](const Cpu& other) {
    return other.core != core || !online_.test(other.id) || cpus_[other.id].idle_bit;
  });
}

// scx_pick_idle_cpu(): a whole core first; claimed, or -EBUSY.
int Machine::pick_idle(const CpuSet& cpus, bool whole_core) {
  if (topology_.smt()) {
    for (const unsigned cpu : cpus) {
      if (cpu < cpus_.size() && cpus_[cpu].idle_bit && core_is_idle(static_cast<int>(cpu)) &&
          claim_idle(static_cast<int>(cpu)))
        return static_cast<int>(cpu);
    }
    if (whole_core) return -EBUSY;
  }
  for (const unsigned cpu : cpus) {
    if (cpu < cpus_.size() && claim_idle(static_cast<int>(cpu))) return static_cast<int>(cpu);
  }
  return -EBUSY;
}

// scx_select_cpu_dfl(): claimed, or -EBUSY.
int Machine::select_cpu(Task& task, int prev_cpu, std::uint64_t wake_flags, const CpuSet& cpus) {
  constexpr std::uint64_t kWakeSync = 0x10;  // SCX_WAKE_SYNC
  CpuSet allowed = task.allowed;
  allowed &= cpus;
  allowed &= online_;
  if (allowed.empty()) return -EBUSY;
  const auto near = [&](auto same) {
    CpuSet set;
    const Cpu& prev = *topology_.find(static_cast<unsigned>(prev_cpu));
    for (const unsigned cpu : allowed) {
      if (same(*topology_.find(cpu), prev)) set.set(cpu);
    }
    return set;
  };
  const bool prev_allowed = allowed.test(static_cast<unsigned>(prev_cpu));
  const CpuSet in_llc = near([](const Cpu& a, const Cpu& b) { return a.llc == b.llc; });
  const CpuSet in_node = near([](const Cpu& a, const Cpu& b) { return a.node == b.node; });

  if ((wake_flags & kWakeSync) != 0) {
    const Cpu& waker = *topology_.find(static_cast<unsigned>(this_cpu_));
    if (prev_allowed && in_llc.test(waker.id) && claim_idle(prev_cpu)) return prev_cpu;
    bool some_idle = false;
    for (const CpuState& cpu : cpus_) some_idle = some_idle || cpu.idle_bit;
    if (some_idle && allowed.test(waker.id) && cpus_[waker.id].local.empty())
      return static_cast<int>(waker.id);
  }
  for (const bool whole_core : {true, false}) {
    if (whole_core && !topology_.smt()) continue;
    if (prev_allowed && (!whole_core || core_is_idle(prev_cpu)) && claim_idle(prev_cpu))
      return prev_cpu;
    for (const CpuSet& set : {in_llc, in_node, allowed}) {
      if (const int cpu = pick_idle(set, whole_core); cpu >= 0) return cpu;
    }
  }
  return -EBUSY;
}

}  // namespace cppland::sim
