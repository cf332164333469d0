// SPDX-License-Identifier: GPL-2.0-only
// succession_test.cc - the agents of another process take over, or do not.
#include <cppland/scheduler.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/shared_rings.h"
#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"
#include "policies/table.h"
#include "sim/agent_task.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using testing::Hog;
using testing::kMs;
using testing::kSec;

// An agent that never does a pass.
class Mute final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override { return {Step::Kind::kBlock, 0}; }
};

class Succession : public ::testing::Test {
 protected:
  explicit Succession(unsigned llcs = 1) : machine_(topology(llcs), {.cpus_per_agent = 2}) {
    for (TaskSpec& spec : process("deadline", 0))
      first_.push_back(&machine_.start_agent(std::move(spec)));
  }

  static Topology topology(unsigned llcs) {
    std::vector<Cpu> cpus;
    for (unsigned id = 0; id < 2 * llcs; ++id)
      cpus.push_back({.id = id, .core = id, .llc = id / 2});
    return Topology(std::move(cpus));
  }

  // The agents of one.
  std::vector<TaskSpec> process(std::string_view policy, std::uint32_t reign) {
    agents_.clear();
    std::vector<TaskSpec> specs;
    for (std::uint32_t d = 0; d < machine_.domains().size(); ++d) {
      for (const PolicyEntry& entry : policies::all())
        if (entry.name == policy) policies_.push_back(entry.make({.nr_cpus = 2}));
      auto agent = std::make_unique<AgentTask>(std::make_unique<SimKernel>(machine_, d, reign),
                                               *policies_.back(), AgentCosts{}, d);
      agents_.push_back(agent.get());
      specs.push_back({.name = "agent", .behaviour = std::move(agent)});
    }
    return specs;
  }

  int take_over(std::string_view policy) {
    return machine_.take_over(process(policy, Machine::shm().reign + 1));
  }

  int take_over_mute() {
    std::vector<TaskSpec> specs;
    for (std::size_t d = 0; d < machine_.domains().size(); ++d)
      specs.push_back({.name = "mute", .behaviour = std::make_unique<Mute>()});
    return machine_.take_over(std::move(specs));
  }

  Task& start_hog(int nice = 0) {
    return machine_.start({.name = "hog", .nice = nice, .behaviour = std::make_unique<Hog>()});
  }

  void run_for(std::uint64_t ns) {
    if (!machine_.attached()) machine_.attach();
    machine_.run(machine_.now() + ns);
    ASSERT_EQ(machine_.exit().kind, Exit::kNone) << machine_.exit().message;
  }

  static std::uint64_t count(cppland_counter which) { return counter(Machine::shm(), which); }

  Machine machine_;
  std::vector<std::unique_ptr<PolicyRunner>> policies_;
  std::vector<AgentTask*> agents_;  // of the last process
  std::vector<Task*> first_;
};

class SuccessionOfTwo : public Succession {
 protected:
  SuccessionOfTwo() : Succession(2) {}
};

TEST_F(Succession, TheNewAgentDecidesAndTheOldOneLeaves) {
  for (int i = 0; i < 6; ++i) start_hog();
  run_for(kSec);
  ASSERT_EQ(take_over("fifo"), 0);
  run_for(kSec);
  EXPECT_EQ(first_.front()->state, TaskState::kDead);
  EXPECT_GT(agents_.front()->passes(), 20U);
  EXPECT_NE(Machine::shm().agent_tgid, first_.front()->tgid);
  EXPECT_EQ(Machine::shm().on_trial, 0U);
  EXPECT_EQ(count(CPPLAND_NR_UPGRADES), 1U);
  EXPECT_EQ(count(CPPLAND_NR_FAILOVERS), 0U);
}

TEST_F(SuccessionOfTwo, AllAgentsAreSucceeded) {
  for (int i = 0; i < 12; ++i) start_hog();
  for (int i = 0; i < 5; ++i) {
    run_for(200 * kMs);
    ASSERT_EQ(take_over(i % 2 == 0 ? "eevdf" : "deadline"), 0);
  }
  run_for(kSec);
  for (const Task* agent : first_) EXPECT_EQ(agent->state, TaskState::kDead);
  for (const AgentTask* agent : agents_) EXPECT_GT(agent->passes(), 20U);
  EXPECT_EQ(count(CPPLAND_NR_UPGRADES), 5U);
}

// Under the keys of a policy that begins to count anew, those of the one before would be last.
TEST_F(Succession, NobodyWaitsForTheKeysOfAnotherPolicyToCome) {
  std::vector<Task*> hogs;
  for (int i = 0; i < 8; ++i) hogs.push_back(&start_hog());
  run_for(3 * kSec);
  ASSERT_EQ(take_over("fifo"), 0);
  std::vector<std::uint64_t> before;
  for (const Task* hog : hogs) before.push_back(hog->se.sum_exec_runtime);
  run_for(200 * kMs);
  for (std::size_t i = 0; i < hogs.size(); ++i)
    EXPECT_GT(hogs[i]->se.sum_exec_runtime, before[i]) << "hog " << i;
}

TEST_F(Succession, SharesStayByWeight) {
  const Task& light = start_hog(5);
  const Task& heavy = start_hog(0);
  for (int i = 0; i < 2; ++i) start_hog(0);
  for (int i = 0; i < 10; ++i) {
    run_for(500 * kMs);
    ASSERT_EQ(take_over("deadline"), 0);
  }
  EXPECT_NEAR(static_cast<double>(light.se.sum_exec_runtime) /
                  static_cast<double>(heavy.se.sum_exec_runtime),
              335.0 / 1024.0, 0.05);
}

TEST_F(Succession, WithoutAnAnswerTheOldAgentGoesOn) {
  for (int i = 0; i < 6; ++i) start_hog();
  run_for(kSec);
  const AgentTask* const old = agents_.front();
  ASSERT_EQ(take_over_mute(), 0);
  EXPECT_EQ(Machine::shm().on_trial, 1U);
  run_for(500 * kMs);
  EXPECT_EQ(first_.front()->state, TaskState::kBlocked) << "it waits for how this ends";
  run_for(2 * kSec);
  EXPECT_EQ(Machine::shm().on_trial, 0U);
  EXPECT_EQ(Machine::shm().agent_tgid, first_.front()->tgid);
  EXPECT_EQ(count(CPPLAND_NR_REVERTED), 1U);
  const std::uint64_t passes = old->passes();
  run_for(kSec);
  EXPECT_GT(old->passes(), passes + 20);
}

TEST_F(SuccessionOfTwo, OneThatDoesNotAnswerIsEnoughToGoBack) {
  for (int i = 0; i < 12; ++i) start_hog();
  run_for(kSec);
  std::vector<TaskSpec> specs = process("fifo", Machine::shm().reign + 1);
  specs.back().behaviour = std::make_unique<Mute>();
  ASSERT_EQ(machine_.take_over(std::move(specs)), 0);
  run_for(3 * kSec);
  EXPECT_EQ(Machine::shm().agent_tgid, first_.front()->tgid);
  EXPECT_EQ(count(CPPLAND_NR_REVERTED), 1U);
}

TEST_F(Succession, WhileOneIsOnTrialAnotherIsRefused) {
  run_for(kSec);
  ASSERT_EQ(take_over_mute(), 0);
  EXPECT_EQ(take_over("fifo"), -EBUSY);
  run_for(3 * kSec);
  EXPECT_EQ(take_over("fifo"), 0) << "when that has come to nothing";
  run_for(kSec);
  EXPECT_EQ(first_.front()->state, TaskState::kDead);
}

TEST_F(Succession, WhatMakesNoSenseIsRefused) {
  run_for(100 * kMs);
  const Task& hog = start_hog();
  cppland_agents right{.version = CPPLAND_ABI_VERSION,
                       .reign = 0,
                       .tgid = hog.tgid,
                       .nr_domains = 1,
                       .flags = 0,
                       .reserved = 0,
                       .slice_ns = kMs,
                       .sleeper_credit_ns = kMs,
                       .late_ns = kMs,
                       .forget_ns = kMs,
                       .rescue_every_ns = kMs,
                       .starve_ns = kMs,
                       .tid = {hog.pid}};
  struct Case {
    const char* what;
    int refused;
    std::function<void(cppland_agents&)> change;
  };
  for (const Case& c : {
           Case{"version", -EINVAL, [](auto& a) { ++a.version; }},
           {"more agents", -EINVAL, [](auto& a) { ++a.nr_domains; }},
           {"no agents", -EINVAL, [](auto& a) { a.nr_domains = 0; }},
           {"no slice", -EINVAL, [](auto& a) { a.slice_ns = 0; }},
           {"long slice", -EINVAL, [](auto& a) { a.slice_ns = kSec; }},
           {"credit", -EINVAL, [](auto& a) { a.sleeper_credit_ns = UINT64_MAX; }},
           {"late", -EINVAL, [](auto& a) { a.late_ns = 0; }},
           {"forget", -EINVAL, [](auto& a) { a.forget_ns = 0; }},
           {"rescue", -EINVAL, [](auto& a) { a.rescue_every_ns = 0; }},
           {"starve", -EINVAL, [](auto& a) { a.starve_ns = 0; }},
           {"reign", -EAGAIN, [](auto& a) { ++a.reign; }},
           {"nobody", -ESRCH, [](auto& a) { a.tid[0] = 99'999; }},
           {"of another process", -ESRCH, [](auto& a) { ++a.tgid; }},
       }) {
    cppland_agents wrong = right;
    c.change(wrong);
    EXPECT_EQ(dispatcher().succeed(&wrong), c.refused) << c.what;
  }
  EXPECT_EQ(Machine::shm().agent_tgid, first_.front()->tgid);
  EXPECT_EQ(count(CPPLAND_NR_UPGRADES), 0U);
  EXPECT_EQ(dispatcher().succeed(&right), 0);
}

}  // namespace
}  // namespace cppland::sim
