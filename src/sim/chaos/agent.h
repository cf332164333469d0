// SPDX-License-Identifier: GPL-2.0-only
// agent.h - an agent that is late, stopped, confused or hostile when it is told to.
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
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
  ChaosKernel(Machine& machine, std::uint64_t seed, unsigned named_percent, std::uint32_t domain,
              std::uint32_t reign)
      : SimKernel(machine, domain, reign),
        domain_(domain),
        named_percent_(named_percent),
        random_(seed + domain) {}

  std::size_t read_events(std::span<cppland_event> out) noexcept override;
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override;
  void park(std::uint32_t nr_scheduled) noexcept override;

  bool hostile = false;
  bool delays = false;
  bool full_ring = false;
  bool stale = false;
  bool forgetful = false;
  bool misplaces = false;

 private:
  // A wait that is over: the same task has been heard of since.
  struct Wait {
    std::int32_t tid;
    std::uint64_t generation;
  };

  cppland_decision make_up();
  void remember(const cppland_event& event);
  void repeat_old();
  void place(cppland_decision& d);

  std::uint32_t domain_;
  unsigned named_percent_;  // of the decisions, that name a CPU
  Random random_;
  std::vector<cppland_event> heard_;  // the last events, as far as they tell of a wait
  std::unordered_map<std::int32_t, std::uint64_t> latest_;  // generation by tid
  std::deque<Wait> over_;                                   // the last ones
};

class ChaosAgent final : public Behaviour {
 public:
  ChaosAgent(const ChaosPlan& plan, Machine& machine, PolicyRunner& policy, std::uint32_t domain,
             std::uint32_t reign)
      : ChaosAgent(
            std::make_unique<ChaosKernel>(machine, plan.seed, plan.named_percent, domain, reign),
            policy, domain) {}

  Step next(Machine& machine, sim::Task& task) override;

  // Begins or ends what is wrong with it.
  void disturb(const ChaosStep& step);

 private:
  ChaosAgent(std::unique_ptr<ChaosKernel> kernel, PolicyRunner& policy, std::uint32_t domain)
      : kernel_(kernel.get()), agent_(std::move(kernel), policy, {}, domain) {}

  ChaosKernel* kernel_;
  AgentTask agent_;
  std::uint64_t stall_us_ = 0;
  bool stopped_ = false;
  bool killed_ = false;
};

}  // namespace cppland::sim
