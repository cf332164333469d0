// SPDX-License-Identifier: GPL-2.0-only
// kfuncs_test.cc - the kernel's functions as the dispatcher sees them: who may call what, and what
// ends the scheduler. Rules without a file are those of kernel/sched/ext.c.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/sim/kernel_types.h"
#include "kernel/sim/machine.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own

constexpr std::uint64_t kHeld = CPPLAND_MAX_CPUS + 1;  // DSQ_HELD of bpf/state.bpf.h

class SimKfuncs : public ::testing::Test {
 protected:
  void begin(unsigned nr_cpus, int hogs) {
    machine_ = std::make_unique<Machine>(cpus(nr_cpus));
    for (int i = 0; i < hogs; ++i) hog(*machine_);
    machine_->attach();
    machine_->run(machine_->now() + 10 * kMs);
    ASSERT_EQ(machine_->exit().kind, Exit::kNone) << machine_->exit().message;
  }

  // Calls @what from a timer, as a bpf_timer's callback would be.
  void from_timer(const std::function<void()>& what) {
    machine_->at(machine_->now() + 1, what);
    machine_->run(machine_->now() + 10'000);
  }

  void expect_error(const std::string& words) {
    EXPECT_EQ(machine_->exit().kind, Exit::kError);
    EXPECT_NE(machine_->exit().message.find(words), std::string::npos) << machine_->exit().message;
    EXPECT_FALSE(machine_->attached());
  }

  std::unique_ptr<Machine> machine_;
};

// scx_bpf_dsq_move_to_local() and scx_kf_allowed().
TEST_F(SimKfuncs, MoveToLocalInDispatchOnly) {
  begin(1, 3);
  from_timer([] { scx_bpf_dsq_move_to_local(kHeld); });
  expect_error("kfunc with mask 0x2 called from an operation only allowing 0x0");
}

// scx_dsq_insert_preamble() and scx_kf_allowed().
TEST_F(SimKfuncs, InsertInSelectCpuEnqueueAndDispatchOnly) {
  begin(1, 3);
  from_timer([&] { scx_bpf_dsq_insert(machine_->tasks()[1].get(), kHeld, 0, 0); });
  expect_error("kfunc with mask 0x6 called from an operation only allowing 0x0");
}

// scx_bpf_reenqueue_local() and scx_kf_allowed().
TEST_F(SimKfuncs, ReenqueueWhenTheCpuIsTakenOnly) {
  begin(1, 3);
  from_timer([] { scx_bpf_reenqueue_local(); });
  expect_error("kfunc with mask 0x1 called from an operation only allowing 0x0");
}

// find_user_dsq().
TEST_F(SimKfuncs, KnowsNoQueueThatWasNotMade) {
  begin(1, 3);
  EXPECT_EQ(scx_bpf_dsq_nr_queued(77'777), -ENOENT);
  bpf_iter_scx_dsq it{};
  EXPECT_EQ(bpf_iter_scx_dsq_new(&it, 77'777, 0), -ENOENT);
  EXPECT_EQ(bpf_iter_scx_dsq_next(&it), nullptr);
  bpf_iter_scx_dsq_destroy(&it);
  EXPECT_EQ(scx_bpf_create_dsq(kHeld, -1), -EEXIST);
}

// scx_bpf_create_dsq(), bpf_iter_scx_dsq_new() and scx_bpf_dsq_nr_queued(): a CPU's local queue is
// the kernel's, and is counted only.
TEST_F(SimKfuncs, WalksNoLocalQueue) {
  begin(1, 3);
  EXPECT_EQ(scx_bpf_create_dsq(SCX_DSQ_LOCAL, -1), -EINVAL);
  bpf_iter_scx_dsq it{};
  EXPECT_EQ(bpf_iter_scx_dsq_new(&it, SCX_DSQ_LOCAL_ON | 0, 0), -ENOENT);
  bpf_iter_scx_dsq_destroy(&it);
  EXPECT_EQ(bpf_iter_scx_dsq_new(&it, kHeld, 1), -EINVAL) << "no flag that there is";
  bpf_iter_scx_dsq_destroy(&it);
  EXPECT_EQ(scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | 0), 0);
  EXPECT_EQ(scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | 9), -ENOENT);
  expect_error("invalid CPU 9");
}

// task_can_run_on_remote_rq(): with enforce.
TEST_F(SimKfuncs, MovesNoTaskToACpuThatItMayNotUse) {
  begin(2, 0);
  CpuSet first;
  first.set(0);
  for (int i = 0; i < 3; ++i) hog(*machine_, 0, first);
  machine_->run(machine_->now() + 10 * kMs);
  from_timer([] {
    bpf_iter_scx_dsq it{};
    bpf_iter_scx_dsq_new(&it, kHeld, 0);
    task_struct* p = bpf_iter_scx_dsq_next(&it);
    ASSERT_NE(p, nullptr);
    EXPECT_FALSE(scx_bpf_dsq_move(&it, p, SCX_DSQ_LOCAL_ON | 1, 0));
    bpf_iter_scx_dsq_destroy(&it);
  });
  expect_error("target CPU 1 not allowed for hog");
}

// scx_dsq_move(): a task that has left the queue, or has come back to it since, is not moved.
TEST_F(SimKfuncs, MovesWhatItsIteratorHasSeenOnly) {
  begin(1, 4);
  from_timer([] {
    bpf_iter_scx_dsq it{};
    bpf_iter_scx_dsq_new(&it, kHeld, 0);
    task_struct* p = bpf_iter_scx_dsq_next(&it);
    ASSERT_NE(p, nullptr);
    bpf_iter_scx_dsq_destroy(&it);

    bpf_iter_scx_dsq_new(&it, kHeld, 0);
    bpf_iter_scx_dsq other{};
    bpf_iter_scx_dsq_new(&other, kHeld, 0);
    EXPECT_TRUE(scx_bpf_dsq_move_vtime(&other, p, kHeld, 0));  // out, and in again
    EXPECT_FALSE(scx_bpf_dsq_move_vtime(&it, p, kHeld, 0));
    bpf_iter_scx_dsq_destroy(&other);
    bpf_iter_scx_dsq_destroy(&it);
  });
  EXPECT_EQ(machine_->exit().kind, Exit::kNone);
}

// kernel/sched/ext_idle.c, scx_idle_test_and_clear_cpu(): who picks a CPU has claimed it.
TEST_F(SimKfuncs, ClaimsAnIdleCpuOnce) {
  begin(3, 1);
  const auto* all = machine_->tasks().front()->cpus_ptr;
  const s32 a = scx_bpf_pick_idle_cpu(all, 0);
  const s32 b = scx_bpf_pick_idle_cpu(all, 0);
  EXPECT_NE(a, b);
  EXPECT_GE(a, 0);
  EXPECT_GE(b, 0);
  EXPECT_EQ(scx_bpf_pick_idle_cpu(all, 0), -EBUSY);
  EXPECT_FALSE(scx_bpf_test_and_clear_cpu_idle(a));
  scx_bpf_kick_cpu(a, SCX_KICK_IDLE);  // it looks for work, finds none, and is idle again
  machine_->run(machine_->now() + 100'000);
  EXPECT_EQ(scx_bpf_pick_idle_cpu(all, 0), a);
}

// kernel/sched/ext_idle.c, scx_pick_idle_cpu(): a whole core comes first.
TEST_F(SimKfuncs, PrefersAWholeCore) {
  std::vector<Cpu> threads;
  for (unsigned id = 0; id < 4; ++id)
    threads.push_back({.id = id, .core = id / 2, .smt_rank = id % 2});
  machine_ = std::make_unique<Machine>(Topology(threads));
  hog(*machine_);
  machine_->attach();
  machine_->run(machine_->now() + kMs);
  const auto* all = machine_->tasks().front()->cpus_ptr;
  ASSERT_NE(machine_->running_on(0), nullptr);
  EXPECT_EQ(scx_bpf_pick_idle_cpu(all, SCX_PICK_IDLE_CORE), 2);
  EXPECT_EQ(scx_bpf_pick_idle_cpu(all, SCX_PICK_IDLE_CORE), -EBUSY);
  EXPECT_EQ(scx_bpf_pick_idle_cpu(all, 0), 1);
}

// kernel/sched/ext_idle.c, scx_bpf_pick_idle_cpu_node().
TEST_F(SimKfuncs, PicksInTheNodeFirst) {
  std::vector<Cpu> nodes;
  for (unsigned id = 0; id < 4; ++id)
    nodes.push_back({.id = id, .core = id, .llc = id / 2, .node = id / 2});
  machine_ = std::make_unique<Machine>(Topology(nodes), MachineOptions{.numa_local = true});
  hog(*machine_);
  machine_->attach();
  machine_->run(machine_->now() + kMs);
  const auto* all = machine_->tasks().front()->cpus_ptr;
  EXPECT_EQ(scx_bpf_pick_idle_cpu_node(all, 1, 0), 2);
  EXPECT_EQ(scx_bpf_pick_idle_cpu_node(all, 1, SCX_PICK_IDLE_IN_NODE), 3);
  EXPECT_EQ(scx_bpf_pick_idle_cpu_node(all, 1, SCX_PICK_IDLE_IN_NODE), -EBUSY);
  EXPECT_EQ(scx_bpf_pick_idle_cpu_node(all, 1, 0), 1);
}

// kick_one_cpu() and kick_one_cpu_if_idle().
TEST_F(SimKfuncs, KicksABusyCpuToPreemptOnly) {
  begin(1, 2);
  const Task* before = machine_->running_on(0);
  from_timer([] { scx_bpf_kick_cpu(0, SCX_KICK_IDLE); });
  EXPECT_EQ(machine_->running_on(0), before);
  from_timer([] { scx_bpf_kick_cpu(0, SCX_KICK_PREEMPT); });
  machine_->run(machine_->now() + 100'000);
  EXPECT_NE(machine_->running_on(0), before);
}

// scx_bpf_kick_cpu() and ops_cpu_valid().
TEST_F(SimKfuncs, KickOfNoCpuIsAnError) {
  begin(1, 1);
  from_timer([] { scx_bpf_kick_cpu(5, 0); });
  expect_error("invalid CPU 5");
}

// scx_bpf_kick_cpu().
TEST_F(SimKfuncs, KickOfAnIdleCpuPreemptsNobody) {
  begin(1, 1);
  from_timer([] { scx_bpf_kick_cpu(0, SCX_KICK_IDLE | SCX_KICK_PREEMPT); });
  expect_error("PREEMPT/WAIT cannot be used with SCX_KICK_IDLE");
}

// kernel/sched/ext_idle.c, scx_bpf_pick_idle_cpu_node() and scx_bpf_pick_idle_cpu().
TEST_F(SimKfuncs, IdleCpusAreTrackedByNodeOrNot) {
  begin(2, 1);
  from_timer([&] { scx_bpf_pick_idle_cpu_node(machine_->tasks()[0]->cpus_ptr, 0, 0); });
  expect_error("per-node idle tracking is disabled");
}

}  // namespace
}  // namespace cppland::sim
