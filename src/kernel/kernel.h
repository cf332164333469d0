// SPDX-License-Identifier: GPL-2.0-only
// kernel.h - the seam: the agent's view of the kernel, be it the running one or a model of it.
#pragma once

#include <abi/cppland_abi.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace cppland {

// One agent thread calls everything here. Nothing allocates, locks or fails: what the other side
// does wrong is dropped and counted there.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  // Whether the dispatcher still schedules, and this agent is or may again be the one that decides;
  // once false, it stays so.
  [[nodiscard]] virtual bool attached() const noexcept = 0;

  // Whether this agent decides. If not, another process's does, and has not shown yet that it can.
  [[nodiscard]] virtual bool in_charge() const noexcept { return true; }

  // Waits a while for that to be over.
  virtual void stand_by() noexcept {}

  [[nodiscard]] virtual std::uint64_t now_ns() const noexcept = 0;

  // Tasks waiting in the dispatcher's queues when it last called the agent.
  [[nodiscard]] virtual std::uint32_t nr_waiting() const noexcept = 0;

  // CPUs online then, at least one.
  [[nodiscard]] virtual std::uint32_t nr_online() const noexcept = 0;

  // Events that have arrived, oldest first, copied out; returns how many.
  virtual std::size_t read_events(std::span<cppland_event> out) noexcept = 0;

  // Hands over decisions; returns how many found room. They take effect when a CPU next looks for
  // work, at the latest in park().
  virtual std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept = 0;

  // Gives the CPU back, until there is something to decide or a heartbeat. @nr_scheduled: tasks
  // that the policy still holds.
  virtual void park(std::uint32_t nr_scheduled) noexcept = 0;
};

}  // namespace cppland
