// SPDX-License-Identifier: GPL-2.0-only
// agent_task.h - the agent as a task of the modelled machine: its passes cost time there.
#pragma once

#include <cppland/policy_host.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "agent/agent.h"
#include "kernel/sim/machine.h"
#include "kernel/sim/sim_kernel.h"

namespace cppland::sim {

// What the agent's work costs, in ns. A pass of few decisions takes some 14 us in `tests/vm/run` on
// Linux 7.3.4, at 2 ns for each instruction.
struct AgentCosts {
  std::uint64_t pass = 8'000;  // with the system call that ends it
  std::uint64_t event = 600;
  std::uint64_t decision = 600;

  // As Costs::scaled().
  [[nodiscard]] constexpr AgentCosts scaled(std::uint64_t percent) const {
    return {.pass = pass * percent / 100,
            .event = event * percent / 100,
            .decision = decision * percent / 100};
  }
};

// The agent of @policy, for one domain. Does not own machine and policy.
//
// A pass takes its time first and does its work at the end of that: what has arrived meanwhile is
// taken in, too, and paid for after.
class AgentTask final : public Behaviour {
 public:
  AgentTask(Machine& machine, PolicyRunner& policy, const AgentCosts& costs = {},
            std::uint32_t domain = 0)
      : AgentTask(std::make_unique<SimKernel>(machine, domain), policy, costs, domain) {}
  // With a view of the kernel that is not what it should be, say.
  AgentTask(std::unique_ptr<SimKernel> kernel, PolicyRunner& policy, const AgentCosts& costs = {},
            std::uint32_t domain = 0)
      : kernel_(std::move(kernel)), agent_(*kernel_, policy, domain), costs_(costs) {}

  Step next(Machine& machine, sim::Task& task) override {
    switch (stage_) {
      case Stage::kParked:
        if (!is_in_charge(task)) return give_way();
        if (machine.agent_sleeps() && !machine.answer_call() && passes_ > 0)
          return {Step::Kind::kBlock, 0};
        stage_ = Stage::kDeciding;
        due_ = costs_.pass + waiting_events() * (costs_.event + costs_.decision);
        return {Step::Kind::kRun, due_};
      case Stage::kDeciding: {
        stage_ = Stage::kPaying;
        const std::uint64_t events = kernel_->events();
        const std::uint64_t decisions = kernel_->decisions();
        agent_.pass();
        ++passes_;
        const std::uint64_t cost = costs_.pass + (kernel_->events() - events) * costs_.event +
                                   (kernel_->decisions() - decisions) * costs_.decision;
        if (cost > due_) return {Step::Kind::kRun, cost - due_};
        [[fallthrough]];
      }
      case Stage::kPaying:
        break;
    }
    stage_ = Stage::kParked;
    return {machine.agent_sleeps() ? Step::Kind::kRun : Step::Kind::kYield, 1};
  }

  [[nodiscard]] std::uint64_t passes() const noexcept { return passes_; }

  // Whether @task is one of those that decide.
  [[nodiscard]] static bool is_in_charge(const sim::Task& task) {
    return Machine::shm().agent_tgid == task.tgid || Machine::shm().agent_tgid == 0;
  }

 private:
  // Others have taken over: it stays until they have shown that they can.
  static Step give_way() {
    constexpr std::uint64_t kLookEvery = 1'000'000;
    if (Machine::shm().on_trial == 0) return {Step::Kind::kExit, 0};
    return {Step::Kind::kSleep, kLookEvery};
  }

  enum class Stage : std::uint8_t { kParked, kDeciding, kPaying };

  [[nodiscard]] std::uint64_t waiting_events() const {
    const cppland_channel& channel = kernel_->channel();
    return channel.dispatcher.event_head - channel.agent.event_tail;
  }

  std::unique_ptr<SimKernel> kernel_;
  Agent agent_;
  AgentCosts costs_;
  Stage stage_ = Stage::kParked;
  std::uint64_t due_ = 0;
  std::uint64_t passes_ = 0;
};

}  // namespace cppland::sim
