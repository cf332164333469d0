// SPDX-License-Identifier: GPL-2.0-only
// domains_test.cc - several agents on one machine: the dispatcher between them.
#include <cppland/scheduler.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernel/shared_rings.h"
#include "kernel/sim/machine.h"
#include "policies/table.h"
#include "sim/agent_task.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using testing::Hog;
using testing::kMs;
using testing::kSec;

// @llcs caches of four CPUs each.
Topology topology(unsigned llcs) {
  std::vector<Cpu> cpus;
  cpus.reserve(std::size_t{4} * llcs);
  for (unsigned id = 0; id < 4 * llcs; ++id) cpus.push_back({.id = id, .core = id, .llc = id / 4});
  return Topology(std::move(cpus));
}

CpuSet cpus_of(unsigned domain) {
  CpuSet set;
  for (unsigned cpu = 4 * domain; cpu < 4 * domain + 4; ++cpu) set.set(cpu);
  return set;
}

// Machines on which each cache has an agent. Counts who changes domains.
class SimDomains : public ::testing::Test, private Observer {
 protected:
  explicit SimDomains(unsigned llcs = 2) : machine_(topology(llcs), {.cpus_per_agent = 4}, this) {
    for (std::uint32_t d = 0; d < machine_.domains().size(); ++d) {
      policies_.push_back(policies::all().front().make({.nr_cpus = 4}));
      auto agent = std::make_unique<AgentTask>(machine_, *policies_.back(), AgentCosts{}, d);
      agents_.push_back(agent.get());
      machine_.start_agent({.name = "agent", .behaviour = std::move(agent)});
    }
  }

  std::vector<Task*> start_hogs(std::size_t count, int nice = 0, const CpuSet& cpus = {}) {
    std::vector<Task*> hogs;
    hogs.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      hogs.push_back(&machine_.start(
          {.name = "hog", .nice = nice, .cpus = cpus, .behaviour = std::make_unique<Hog>()}));
    return hogs;
  }

  void run_for(std::uint64_t ns) {
    if (!machine_.attached()) machine_.attach();
    machine_.run(machine_.now() + ns);
    ASSERT_EQ(machine_.exit().kind, Exit::kNone) << machine_.exit().message;
  }

  static double mean_ms(const std::vector<Task*>& tasks) {
    double sum = 0;
    for (const Task* task : tasks) sum += static_cast<double>(task->se.sum_exec_runtime) / 1e6;
    return sum / static_cast<double>(tasks.size());
  }

  Machine machine_;
  std::vector<std::unique_ptr<PolicyRunner>> policies_;
  std::vector<AgentTask*> agents_;
  unsigned moves_ = 0;

 private:
  void began(const Task& task, int cpu, std::uint64_t /*at*/) override {
    const auto [known, first] = domain_of_.try_emplace(&task, cpu / 4);
    if (!first && std::exchange(known->second, cpu / 4) != cpu / 4) ++moves_;
  }

  std::unordered_map<const Task*, int> domain_of_;
};

TEST_F(SimDomains, EachHasAnAgentThatDecides) {
  start_hogs(8, 0, cpus_of(0));
  start_hogs(8, 0, cpus_of(1));
  run_for(kSec);
  for (std::size_t d = 0; d < 2; ++d) {
    EXPECT_GT(agents_[d]->passes(), 10U);
    EXPECT_GT(Machine::channel(d).dispatcher.decision_tail, 100U) << "carried out";
  }
  EXPECT_EQ(counter(Machine::shm(), CPPLAND_NR_FAILED_DISPATCHES), 0U);
}

TEST_F(SimDomains, NoCpuIdlesWhileSomebodyWaitsElsewhere) {
  start_hogs(8);  // all begin on the first CPU
  run_for(kSec);
  for (int cpu = 0; cpu < 8; ++cpu) EXPECT_LT(machine_.idle_ns(cpu), 5 * kMs) << cpu;
}

TEST_F(SimDomains, SharesAreByWeightAcrossThem) {
  const auto heavy = start_hogs(12, 0);
  const auto light = start_hogs(12, 5);
  run_for(4 * kSec);
  // kernel/sched/core.c, sched_prio_to_weight[]
  EXPECT_NEAR(mean_ms(heavy) / mean_ms(light), 1024.0 / 335, 0.2);
  for (const auto& hogs : {heavy, light}) {
    const auto [least, most] =
        std::ranges::minmax(hogs, {}, [](const Task* task) { return task->se.sum_exec_runtime; });
    EXPECT_LT(most->se.sum_exec_runtime, least->se.sum_exec_runtime * 5 / 4);
  }
}

TEST_F(SimDomains, OnesWithAsMuchToDoKeepTheirTasks) {
  start_hogs(32);
  run_for(2 * kSec);
  moves_ = 0;
  run_for(kSec);
  EXPECT_LT(moves_, 32U);
}

TEST_F(SimDomains, OneThatIsBehindLosesTasksToOthers) {
  const auto here = start_hogs(12, 0, cpus_of(0));
  const auto there = start_hogs(4, 0, cpus_of(1));
  run_for(10 * kMs);
  for (Task* task : here) machine_.set_affinity(*task, cpus_of(0) | cpus_of(1));
  run_for(4 * kSec);
  // Sixteen for eight CPUs.
  EXPECT_NEAR(mean_ms(here), 4000.0 * 8 / 16, 100);
  EXPECT_NEAR(mean_ms(there), 4000.0 * 8 / 16, 100);
}

TEST_F(SimDomains, ANewTaskWaitsWhereFewerDo) {
  start_hogs(12, 0, cpus_of(0));
  start_hogs(5, 0, cpus_of(1));
  run_for(100 * kMs);
  const Task& task = *start_hogs(1).front();
  EXPECT_GE(task.on_cpu, 4) << "its parent was on the first CPU";
}

TEST_F(SimDomains, WhoMovesIsForgottenWhereItWas) {
  Task& task = *start_hogs(1, 0, cpus_of(0)).front();
  start_hogs(7, 0, cpus_of(0));
  start_hogs(8, 0, cpus_of(1));
  run_for(100 * kMs);
  machine_.set_affinity(task, cpus_of(1));
  const std::uint64_t told = Machine::channel(0).dispatcher.event_head;
  run_for(100 * kMs);
  bool gone = false;
  for (std::uint64_t i = told; i != Machine::channel(0).dispatcher.event_head; ++i) {
    const cppland_event& event = Machine::channel(0).event[i % CPPLAND_EVENT_SLOTS];
    if (event.tid == task.pid) gone = event.type == CPPLAND_EVENT_GONE;
  }
  EXPECT_TRUE(gone);
}

TEST_F(SimDomains, OneWithoutACpuHasAnAgentAllTheSame) {
  start_hogs(12);
  run_for(100 * kMs);
  for (int cpu = 4; cpu < 8; ++cpu) machine_.offline(cpu);
  run_for(8 * kSec);  // longer than the watchdog lets a task wait
  for (int cpu = 4; cpu < 8; ++cpu) machine_.online(cpu);
  const std::uint64_t passes = agents_[1]->passes();
  run_for(kSec);
  EXPECT_GT(agents_[1]->passes(), passes + 10);
  for (int cpu = 4; cpu < 8; ++cpu) EXPECT_EQ(machine_.idle_for(cpu), 0U);
}

}  // namespace
}  // namespace cppland::sim
