// SPDX-License-Identifier: GPL-2.0-only
// costs.h - what the kernel's work costs on the modelled machine.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace cppland::sim {

// Nanoseconds. The defaults are chosen so that a wake-up which preempts takes the 14 us that
// `tests/vm/run latency-1` shows for it on Linux 7.3.4, at 2 ns for each instruction; and that of
// an interrupt so that four CPUs show what docs/fidelity.md says of them.
struct Costs {
  std::uint64_t timer_interrupt = 3'000;
  std::uint64_t wake_up = 4'000;    // select_cpu and enqueue
  std::uint64_t wake_call = 3'000;  // what is left, for the task that wakes another, of its call
  std::uint64_t dispatch = 2'000;   // a CPU that looks for work
  std::uint64_t context_switch = 5'000;
  std::uint64_t migration = 2'000;    // once more, when it runs on another CPU than last
  std::uint64_t cold_cache = 10'000;  // ... with another last level of cache
  std::uint64_t interrupt_to_cpu = 4'000;
  std::uint64_t exit = 50'000;  // of a task, from its last own instruction
  // How fast a task runs whose core runs another one, too. 62: two gain a quarter over one, as is
  // common for compilers and the like.
  std::uint64_t smt_percent = 62;

  // On a machine whose kernel takes @percent of the time.
  [[nodiscard]] constexpr Costs scaled(std::uint64_t percent) const {
    Costs costs = *this;
    for (std::uint64_t Costs::* const cost :
         {&Costs::timer_interrupt, &Costs::wake_up, &Costs::wake_call, &Costs::dispatch,
          &Costs::context_switch, &Costs::migration, &Costs::cold_cache, &Costs::interrupt_to_cpu,
          &Costs::exit})
      costs.*cost = costs.*cost * percent / 100;
    return costs;
  }
};

}  // namespace cppland::sim
