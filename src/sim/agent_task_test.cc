// SPDX-License-Identifier: GPL-2.0-only
// agent_task_test.cc - dispatcher, agent and policy together on the modelled machine.
#include "sim/agent_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kernel/shared_rings.h"
#include "policies/table.h"
#include "tests/support/behaviours.h"
#include "tests/support/scheduled.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                          // language

class EveryPolicy : public ::testing::TestWithParam<PolicyEntry> {};

TEST_P(EveryPolicy, DecidesAndIsNotEnded) {
  Scheduled s(GetParam(), 2);
  s.add_hogs(6);
  const Task& frame = s.add(every(16 * kMs, kMs));
  s.run(10 * kSec);
  EXPECT_EQ(s.machine().exit().kind, Exit::kNone) << s.machine().exit().message;
  EXPECT_GT(s.count(CPPLAND_NR_USER_DISPATCHES), 1000U);
  EXPECT_EQ(s.count(CPPLAND_NR_FAILED_DISPATCHES), 0U);
  EXPECT_EQ(s.count(CPPLAND_NR_FAILOVERS), 0U);
  EXPECT_GE(s.account(frame).waits.size(), 617U);  // of 624 periods, 99 %
  EXPECT_LT(s.agent().se.sum_exec_runtime, 20 * kSec / 50);
  for (const Task* task : s.tasks().first(6))
    EXPECT_NEAR(static_cast<double>(task->se.sum_exec_runtime) / 1e9, 19.3 / 6, 0.7);
  for (int cpu = 0; cpu < 2; ++cpu) EXPECT_LT(s.machine().idle_ns(cpu), kMs);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryPolicy,
                         ::testing::ValuesIn(policies::all().begin(), policies::all().end()),
                         [](const auto& each) { return std::string(each.param.name); });

// Of a 60 Hz task beside four hogs under deadline, in 10 s; in their order.
std::vector<std::uint64_t> waits_of_a_frame(unsigned cpus) {
  Scheduled s(policies::all().front(), cpus);
  s.add_hogs(4);
  const Task& frame = s.add(every(16'667 * kUs, kMs / 2));
  s.run(10 * kSec);
  std::vector<std::uint64_t> waits = s.account(frame).waits;
  EXPECT_EQ(waits.size(), 600U);
  waits.resize(600);
  std::ranges::sort(waits);
  return waits;
}

// As `tests/vm/run latency-1` has it on a real kernel: 14 us, and 16.
TEST(SimAgent, LetsAFramePreemptWithinMicrosecondsUnderDeadline) {
  const auto waits = waits_of_a_frame(1);
  EXPECT_LT(waits[300], 20'000U);
  EXPECT_LT(waits[594], 25'000U);
}

// CPUs look for work at the same moment, at a tick: one calls the agent, and another serves the
// frame before that has decided. The credit that comes with the decision holds all the same.
TEST(SimAgent, LetsAFramePreemptThoughNobodyElseWaits) {
  EXPECT_LT(waits_of_a_frame(4)[594], 25'000U);
}

// Slices of 100 ms for 80 hogs: their round is longer than the watchdog's time.
TEST(SimAgent, LosesNobodyThoughSlicesAreTooLongForSoMany) {
  Scheduled s(policies::all().front(), 1, {.slice_ns = 100 * kMs, .sleeper_credit_ns = kSec});
  s.add_hogs(80);
  s.run(20 * kSec);
  EXPECT_EQ(s.machine().exit().kind, Exit::kNone) << s.machine().exit().message;
  EXPECT_GT(s.count(CPPLAND_NR_RESCUED), 0U);
}

// As with --partial, where the ordinary tasks of the machine may take all CPUs for long.
TEST(SimAgent, ThatSleepsIsCalledWhenThereIsSomethingToDecide) {
  Scheduled s(policies::all().front(), 2, {.agent_sleeps = true});
  s.add(every(16'667 * kUs, kMs / 2));
  s.run(3 * kSec);
  EXPECT_EQ(s.agent().state, TaskState::kBlocked);
  EXPECT_LE(s.count(CPPLAND_NR_AGENT_PASSES), 1U);  // it is alone: no choice
  s.add_hogs(6);
  s.run(13 * kSec);
  EXPECT_GT(s.count(CPPLAND_NR_USER_DISPATCHES), 1000U);
  EXPECT_EQ(s.count(CPPLAND_NR_FAILOVERS), 0U);
}

// kernel/sched/core.c, balance_hotplug_wait(): a CPU does not go while a task is runnable in its
// name, and the agent always is.
TEST(SimAgent, DoesNotKeepACpuFromGoingOnAnIdleMachine) {
  Scheduled s(policies::all().front(), 2);
  s.run(3 * kSec);
  const int parked = s.agent().on_cpu;
  s.machine().offline(parked);
  s.run(4 * kSec);
  EXPECT_FALSE(s.machine().is_leaving(parked));
  EXPECT_NE(s.agent().on_cpu, parked);
}

// An agent whose process is stopped in the middle of a pass.
class StoppingAgent final : public Behaviour {
 public:
  StoppingAgent(Machine& machine, PolicyRunner& policy, std::uint64_t at)
      : agent_(machine, policy), at_(at) {}

  Step next(Machine& machine, sim::Task& task) override {
    const Step step = agent_.next(machine, task);
    const bool in_pass = step.kind == Step::Kind::kRun;
    return in_pass && machine.now() >= at_ ? Step{Step::Kind::kBlock, 0} : step;
  }

 private:
  AgentTask agent_;
  std::uint64_t at_;
};

// As `tests/vm/run stopped-exact` has it on a real kernel.
class SimStoppedAgent : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kStop = kSec;

  SimStoppedAgent() {
    for (int i = 0; i < 4; ++i) hog(machine_);
    start("frame", {{Step::Kind::kRun, kMs / 2}, {Step::Kind::kSleep, 16 * kMs}});
    machine_.start_agent(
        {.name = "agent",
         .behaviour = std::make_unique<StoppingAgent>(machine_, *policy_, machine_.now() + kStop)});
  }

  void start(std::string name, std::vector<Step> steps, bool kernel_thread = false) {
    machine_.start({.name = std::move(name),
                    .kernel_thread = kernel_thread,
                    .behaviour = std::make_unique<Cycle>(std::move(steps))});
  }

  // The longest wait of the 60 Hz task from when the agent is known to be late.
  std::uint64_t longest_wait(std::uint64_t for_ns) {
    if (!machine_.attached()) {
      machine_.attach();
      machine_.run(machine_.now() + kStop + 50 * kMs);
    }
    EXPECT_EQ(counter(Machine::shm(), CPPLAND_NR_FAILOVERS), 1U);
    log_.waits.clear();
    machine_.run(machine_.now() + for_ns);
    EXPECT_GT(log_.waits.size(), for_ns / (17 * kMs));
    return *std::ranges::max_element(log_.waits);
  }

  Log log_;
  Machine machine_{cpus(1), {}, &log_};
  std::unique_ptr<PolicyRunner> policy_ = policies::all().front().make({.nr_cpus = 1});
};

TEST_F(SimStoppedAgent, DoesNotMakeAFrameWaitForAHogBehindWhichAKernelThreadWaits) {
  start("rcu", {{Step::Kind::kSleep, 3 * kMs}, {Step::Kind::kRun, 10'000}}, true);
  EXPECT_LT(longest_wait(10 * kSec), 50'000U);
}

TEST_F(SimStoppedAgent, MakesAFrameWaitHalfAMillisecondForWhoIsBehindItsShareToo) {
  for (int i = 0; i < 2; ++i)
    start("parent", {{Step::Kind::kSleep, 19 * kMs}, {Step::Kind::kRun, 3 * kMs / 2}});
  longest_wait(kSec);  // by then no credit is left
  EXPECT_LT(longest_wait(10 * kSec), 600'000U);
}

TEST_F(SimStoppedAgent, MakesAFrameWaitHalfAMillisecondForAnotherWithCredit) {
  for (const std::uint64_t pause : {19U, 20U, 21U})
    start("parent", {{Step::Kind::kSleep, pause * kMs}, {Step::Kind::kRun, 3 * kMs}});
  EXPECT_LT(longest_wait(kSec / 4), 600'000U);
}

}  // namespace
}  // namespace cppland::sim
