// SPDX-License-Identifier: GPL-2.0-only
// idle.cc - which idle CPU, after kernel/sched/ext_idle.c.
#include "kernel/sim/kernel_types.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// scx_idle_test_and_clear_cpu().
bool Machine::claim_idle(int cpu) {
  const auto id = static_cast<unsigned>(cpu);
  if (!idle_.test(id)) return false;
  idle_.clear(id);
  return true;
}

bool Machine::core_is_idle(int cpu) const {
  const CpuSet core = in_core_[cpus_[index(cpu)].info->core] & online_;
  return (core & idle_) == core;
}

// scx_pick_idle_cpu(): a whole core first; claimed, or -EBUSY.
int Machine::pick_idle(const CpuSet& cpus, bool whole_core) {
  const CpuSet idle = cpus & idle_;
  if (topology_.smt()) {
    for (const unsigned cpu : idle) {
      if (core_is_idle(static_cast<int>(cpu)) && claim_idle(static_cast<int>(cpu)))
        return static_cast<int>(cpu);
    }
    if (whole_core) return -EBUSY;
  }
  if (idle.empty()) return -EBUSY;
  const int cpu = static_cast<int>(idle.first());
  return claim_idle(cpu) ? cpu : -EBUSY;
}

// scx_bpf_select_cpu_and() and scx_select_cpu_dfl(): claimed, or -EBUSY. A CPU that goes may be
// among the idle ones.
int Machine::select_cpu(Task& task, int prev_cpu, std::uint64_t wake_flags, const CpuSet& cpus) {
  constexpr std::uint64_t kWakeSync = 0x10;  // SCX_WAKE_SYNC
  if (task.nr_cpus_allowed == 1) {
    const bool may = cpus.test(static_cast<unsigned>(prev_cpu)) && claim_idle(prev_cpu);
    return may ? prev_cpu : -EBUSY;
  }
  const CpuSet allowed = task.allowed & cpus;
  if (allowed.empty()) return -EBUSY;
  const Cpu& prev = *cpus_[index(prev_cpu)].info;
  const bool prev_allowed = allowed.test(prev.id);
  const CpuSet in_llc = allowed & in_llc_[prev.llc];

  if ((wake_flags & kWakeSync) != 0) {
    const auto waker = static_cast<unsigned>(this_cpu_);
    const Task* current = cpus_[waker].task;
    const bool exits = current && (current->task_struct::flags & kExiting) != 0;
    if (prev_allowed && in_llc_[prev.llc].test(waker) && claim_idle(prev_cpu)) return prev_cpu;
    if (!exits && !idle_.empty() && allowed.test(waker) && cpus_[waker].local.empty())
      return this_cpu_;
  }
  if (idle_.empty()) return -EBUSY;
  for (const bool whole_core : {true, false}) {
    if (whole_core && !topology_.smt()) continue;
    if (prev_allowed && (!whole_core || core_is_idle(prev_cpu)) && claim_idle(prev_cpu))
      return prev_cpu;
    for (const CpuSet& set : {in_llc, allowed & in_node_[prev.node], allowed}) {
      if (const int cpu = pick_idle(set, whole_core); cpu >= 0) return cpu;
    }
  }
  return -EBUSY;
}

}  // namespace cppland::sim
