// SPDX-License-Identifier: GPL-2.0-only
// machine_test.cc - the modelled machine under the dispatcher alone, without an agent. Each test
// names the kernel's rule that it stands for.
#include "kernel/sim/machine.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                          // language

// kernel/sched/ext.c, update_curr_scx() and put_prev_task_scx(): what a task used is charged to it,
// and who has used its slice makes way.
TEST(SimMachine, SharesOneCpuByWeight) {
  Machine machine(cpus(1));
  const Task& light = hog(machine, 5);
  const Task& normal = hog(machine);
  machine.attach();
  const std::uint64_t begin = machine.now();
  machine.run(begin + 20 * kSec);
  ASSERT_EQ(machine.exit().kind, Exit::kNone) << machine.exit().message;
  const double ratio = static_cast<double>(normal.se.sum_exec_runtime) /
                       static_cast<double>(light.se.sum_exec_runtime);
  EXPECT_NEAR(ratio, 100.0 / 33, 0.15);
  // Nothing but the way of the first from its wake-up to the CPU is lost.
  EXPECT_LE(20 * kSec - normal.se.sum_exec_runtime - light.se.sum_exec_runtime, 20'000U);
}

// kernel/sched/core.c, wakeup_preempt(), and ext.c, balance_one(): an idle CPU asks for work.
TEST(SimMachine, LeavesNoCpuIdleThatSomebodyWants) {
  Machine machine(cpus(4));
  for (int i = 0; i < 7; ++i) hog(machine);
  machine.attach();
  const std::uint64_t begin = machine.now();
  machine.run(begin + 5 * kSec);
  for (int cpu = 0; cpu < 4; ++cpu) EXPECT_LT(machine.idle_ns(cpu), kMs) << cpu;
}

// kernel/sched/ext.c, consume_dispatch_q() and task_can_run_on_remote_rq().
TEST(SimMachine, RunsATaskWhereItMayAndNowhereElse) {
  Machine machine(cpus(3));
  CpuSet second;
  second.set(1);
  const Task& bound = hog(machine, 0, second);
  for (int i = 0; i < 4; ++i) hog(machine);
  machine.attach();
  machine.run(machine.now() + 2 * kSec);
  EXPECT_EQ(bound.ran_on, 1);
  EXPECT_EQ(bound.migrations, 0U);
  EXPECT_GT(bound.se.sum_exec_runtime, kSec / 3);
}

// No kernel rule: the model depends on nothing but its inputs.
TEST(SimMachine, IsTheSameEveryTime) {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    Log log;
    Machine machine(cpus(2), {}, &log);
    for (int i = 0; i < 5; ++i) hog(machine);
    machine.start({.name = "frame", .behaviour = std::make_unique<Periodic>(16 * kMs, kMs)});
    machine.attach();
    machine.run(machine.now() + 3 * kSec);
    EXPECT_GT(log.waits.size(), 150U);
    if (round == 0) first = log.text;
    EXPECT_EQ(log.text, first);
  }
}

// kernel/sched/ext.c, task_tick_scx(): what is not the tick's notices no slice.
TEST(SimMachine, LooksAtSlicesWithTheTickOnly) {
  Machine machine(cpus(1), {.slice_ns = kMs});
  const Task& a = hog(machine);
  hog(machine);
  machine.attach();
  machine.run(machine.now() + 3 * kMs);
  EXPECT_GT(a.se.sum_exec_runtime, 2 * kMs);
}

// kernel/sched/ext.c, check_rq_for_timeouts().
TEST(SimMachine, EndsTheSchedulerWhenATaskStalls) {
  Machine machine(cpus(1), {.timeout_ns = 20 * kMs});
  for (int i = 0; i < 20; ++i) hog(machine);  // nobody's turn can come within 20 ms
  machine.attach();
  machine.run(machine.now() + kSec);
  EXPECT_EQ(machine.exit().kind, Exit::kStall);
  EXPECT_NE(machine.exit().message.find("failed to run for 0.0"), std::string::npos)
      << machine.exit().message;
  EXPECT_FALSE(machine.attached());
}

// kernel/sched/core.c, do_set_cpus_allowed() and affine_move_task().
TEST(SimMachine, MovesTasksWhoseAffinityChanges) {
  Machine machine(cpus(2));
  std::vector<Task*> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(&hog(machine));
  machine.attach();
  machine.run(machine.now() + 100 * kMs);
  CpuSet first;
  first.set(0);
  for (Task* task : tasks) machine.set_affinity(*task, first);
  machine.run(machine.now() + kMs);
  EXPECT_EQ(machine.running_on(1), nullptr);
  std::vector<std::uint64_t> before;
  for (const Task* task : tasks) before.push_back(task->se.sum_exec_runtime);
  machine.run(machine.now() + 4 * kSec);
  EXPECT_EQ(machine.running_on(1), nullptr);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    EXPECT_EQ(tasks[i]->on_cpu, 0);
    EXPECT_NEAR(static_cast<double>(tasks[i]->se.sum_exec_runtime - before[i]) / 1e9, 1.0, 0.1);
  }
  EXPECT_EQ(machine.exit().kind, Exit::kNone) << machine.exit().message;
}

// kernel/sched/core.c, set_user_nice(), and ext.c, reweight_task_scx().
TEST(SimMachine, SharesByTheNewWeightWhenNiceChanges) {
  Machine machine(cpus(1));
  Task& a = hog(machine);
  Task& b = hog(machine);
  machine.attach();
  machine.run(machine.now() + 2 * kSec);
  machine.set_nice(a, 5);
  const std::uint64_t had_a = a.se.sum_exec_runtime;
  const std::uint64_t had_b = b.se.sum_exec_runtime;
  machine.run(machine.now() + 20 * kSec);
  EXPECT_NEAR(static_cast<double>(b.se.sum_exec_runtime - had_b) /
                  static_cast<double>(a.se.sum_exec_runtime - had_a),
              100.0 / 33, 0.15);
}

// kernel/sched/core.c, set_load_weight(), and ext.c, reweight_task_scx(): what a kernel shows of
// such tasks in p->scx.weight; not 1.25 to the power of -nice.
TEST(SimMachine, WeighsTasksByTheKernelsTable) {
  Machine machine(cpus(1));
  const auto weight = [&](int nice) { return hog(machine, nice).scx.weight; };
  EXPECT_EQ(weight(-20), 8668U);
  EXPECT_EQ(weight(-15), 2847U);
  EXPECT_EQ(weight(-10), 932U);
  EXPECT_EQ(weight(0), 100U);
  EXPECT_EQ(weight(10), 11U);
  EXPECT_EQ(weight(19), 1U);
}

// kernel/exit.c, do_exit().
TEST(SimMachine, EndsATaskThatExits) {
  Machine machine(cpus(1));
  const Task& task = machine.start(
      {.name = "short",
       .behaviour = std::make_unique<Once>(std::vector<Step>{
           {Step::Kind::kRun, 5 * kMs}, {Step::Kind::kSleep, 10 * kMs}, {Step::Kind::kRun, kMs}})});
  machine.attach();
  machine.run(machine.now() + kSec);
  EXPECT_EQ(task.state, TaskState::kDead);
  EXPECT_GE(task.se.sum_exec_runtime, 6 * kMs);
  EXPECT_LT(task.se.sum_exec_runtime, 7 * kMs);
  EXPECT_EQ(machine.running_on(0), nullptr);
  EXPECT_GT(machine.idle_ns(0), 990 * kMs);
}

}  // namespace
}  // namespace cppland::sim
