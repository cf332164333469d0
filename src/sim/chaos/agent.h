// SPDX-License-Identifier: GPL-2.0-only
// agent.h - an agent that is late, stopped, confused or hostile when it is told to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/agent_task.h"
#include "sim/chaos/plan.h"

namespace cppland::sim {

// What hostile decisions for the wrong wait carry: nothing that is carried out may have it.
inline constexpr std::uint64_t kHostileKey = 0x0bad'0bad'0bad'0badULL;

// A view of the kernel that loses, delays and makes up.
class ChaosKernel final : public SimKernel {
 public:
  ChaosKernel(Machine& machine, std::uint64_t seed) : SimKernel(machine), random_(seed) {}

  std::size_t read_events(std::span<cppland_event> out) noexcept override;
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override;
  void park(std::uint32_t nr_scheduled) noexcept override;

  bool hostile = false;
  bool delays = false;
  bool full_ring = false;

 private:
  cppland_decision make_up();

  Random random_;
  std::vector<cppland_event> heard_;  // the last events, as far as they tell of a wait
};

class ChaosAgent final : public Behaviour {
 public:
  ChaosAgent(std::uint64_t seed, Machine& machine, PolicyRunner& policy)
      : ChaosAgent(std::make_unique<ChaosKernel>(machine, seed), policy) {}

  Step next(Machine& machine, sim::Task& task) override;

  // Begins or ends what is wrong with it.
  void disturb(const ChaosStep& step);

 private:
  ChaosAgent(std::unique_ptr<ChaosKernel> kernel, PolicyRunner& policy)
      : kernel_(kernel.get()), agent_(std::move(kernel), policy) {}

  ChaosKernel* kernel_;
  AgentTask agent_;
  std::uint64_t stall_us_ = 0;
  bool stopped_ = false;
  bool killed_ = false;
};

}  // namespace cppland::sim
