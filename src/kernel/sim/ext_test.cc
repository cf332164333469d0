// SPDX-License-Identifier: GPL-2.0-only
// ext_test.cc - what the class does with a scheduler, for one of the tests' own. Rules without a
// file are those of kernel/sched/ext.c.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own

constexpr std::uint64_t kQueue = 5;

CpuSet only(unsigned cpu) {
  CpuSet set;
  set.set(cpu);
  return set;
}

// What the scheduler has been asked and told: its callbacks have nothing but globals.
struct Heard {
  std::vector<std::uint64_t> enqueue_flags;
  std::vector<int> enqueued_on;
  std::vector<u32> running_on;
  std::vector<s32> dispatch_on;
  std::vector<s32> released;
  std::vector<std::string> idleness;
  task_struct* forgotten = nullptr;
  bool forgets = false;
  bool takes = true;
  s32 selects = -1;
};
Heard heard;  // NOLINT(*-non-const-global-variables): see above

// First come, first served, from one queue.
class SimExt : public ::testing::Test {
 protected:
  void make(unsigned nr_cpus, int hogs) {
    heard = {};
    machine_.emplace(cpus(nr_cpus));
    sched_ext_ops& ops = *dispatcher().ops;  // as it was again with the next machine
    ops.init = [] { return scx_bpf_create_dsq(kQueue, -1); };
    ops.init_task = [](task_struct*, scx_init_task_args*) { return s32{0}; };
    ops.exit_task = [](task_struct*, scx_exit_task_args*) {};
    ops.select_cpu = [](task_struct*, s32 prev_cpu, u64) {
      return heard.selects >= 0 ? heard.selects : prev_cpu;
    };
    ops.enqueue = [](task_struct* p, u64 flags) {
      heard.enqueue_flags.push_back(flags);
      heard.enqueued_on.push_back(scx_bpf_task_cpu(p));
      if (heard.forgets) {
        heard.forgotten = p;
      } else {
        scx_bpf_dsq_insert(p, kQueue, kMs, 0);
      }
    };
    ops.dispatch = [](s32 cpu, task_struct* prev) {
      heard.dispatch_on.push_back(cpu);
      if (!heard.takes || scx_bpf_dsq_move_to_local(kQueue)) return;
      if (prev && (prev->scx.flags & SCX_TASK_QUEUED) != 0) prev->scx.slice = kMs;
    };
    ops.running = [](task_struct*) { heard.running_on.push_back(bpf_get_smp_processor_id()); };
    ops.cpu_release = [](s32 cpu, scx_cpu_release_args*) { heard.released.push_back(cpu); };
    ops.update_idle = [](s32 cpu, bool idle) {
      const cpumask* mask = scx_bpf_get_idle_cpumask();
      const bool marked = bpf_cpumask_test_cpu(static_cast<u32>(cpu), mask);
      scx_bpf_put_idle_cpumask(mask);
      heard.idleness.push_back(
          fmt::format("{} {} {}", cpu, idle ? "idle" : "busy", marked ? "marked" : "unmarked"));
    };
    ops.cpu_online = [](s32) {};
    ops.cpu_offline = [](s32) {};
    for (int i = 0; i < hogs; ++i) hog(*machine_);
    machine_->attach();
    run(10 * kMs);
    ASSERT_EQ(machine_->exit().kind, Exit::kNone) << machine_->exit().message;
    heard = {};
  }

  void run(std::uint64_t ns) { machine_->run(machine_->now() + ns); }

  void expect_error(const std::string& words) {
    EXPECT_EQ(machine_->exit().kind, Exit::kError);
    EXPECT_NE(machine_->exit().message.find(words), std::string::npos) << machine_->exit().message;
  }

  std::optional<Machine> machine_;
};

// put_prev_task_scx(): SCX_ENQ_LAST is for a CPU that becomes idle.
TEST_F(SimExt, TellsOfTheLastTaskWhenItsCpuBecomesIdle) {
  make(1, 1);
  heard.takes = false;
  run(10 * kMs);
  ASSERT_FALSE(heard.enqueue_flags.empty());
  EXPECT_EQ(heard.enqueue_flags[0], std::uint64_t{SCX_ENQ_LAST});
  EXPECT_EQ(machine_->running_on(0), nullptr);
}

// ext_idle.c, __scx_update_idle(): told when the mask has it; not if a CPU that was idle finds
// nothing.
TEST_F(SimExt, TellsOfACpuThatBecomesIdleOnceItIsMarked) {
  make(1, 0);
  Task& task =
      machine_->start({.name = "task", .behaviour = std::make_unique<Periodic>(10 * kMs, kMs)});
  run(5 * kMs);
  EXPECT_EQ(task.state, TaskState::kBlocked);
  EXPECT_EQ(heard.idleness, (std::vector<std::string>{"0 busy unmarked", "0 idle marked"}));
  heard.idleness.clear();
  machine_->at(machine_->now() + 1, [] { scx_bpf_kick_cpu(0, 0); });
  run(kMs);
  EXPECT_EQ(heard.idleness, std::vector<std::string>{});
}

// __scx_update_idle(), from set_next_task_idle() and put_prev_task_idle(): a task of a higher class
// is not the idle thread.
TEST_F(SimExt, TellsOfACpuThatAHigherClassTakesFromIdleness) {
  make(1, 0);
  machine_->at(machine_->now() + 1, [&] { machine_->steal(0, kMs); });
  run(kMs / 2);
  EXPECT_EQ(heard.idleness, std::vector<std::string>{"0 busy unmarked"});
  run(kMs);
  EXPECT_EQ(heard.idleness.back(), "0 idle marked");
}

// put_prev_task_scx(): a higher class that takes the CPU leaves the task no last one.
TEST_F(SimExt, TellsOfNoLastTaskWhenAHigherClassTakesItsCpu) {
  make(1, 1);
  Task& task = *machine_->tasks()[0];
  machine_->at(machine_->now() + 1, [&] {
    task.scx.slice = 0;
    machine_->steal(0, kMs);
  });
  run(10'000);
  EXPECT_EQ(heard.enqueue_flags, std::vector<std::uint64_t>{0});
}

// put_prev_task_scx(): with time left the task stays first in the local queue.
TEST_F(SimExt, LeavesATaskWithTimeLeftInItsPlace) {
  make(1, 2);
  Task* task = machine_->running_on(0);
  ASSERT_NE(task, nullptr);
  machine_->at(machine_->now() + 1, [&] {
    task->scx.slice = kMs;
    machine_->steal(0, kMs);
  });
  run(10'000);
  EXPECT_TRUE(heard.enqueue_flags.empty());
  EXPECT_EQ(scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | 0), 1);
  run(kMs + 100'000);
  EXPECT_EQ(machine_->running_on(0), task);
}

// switch_class(): it is called for a task of the class that is put, and not for an idle CPU.
TEST_F(SimExt, HearsOfACpuThatIsTakenFromATaskOnly) {
  make(2, 1);
  const int busy = machine_->tasks()[0]->on_cpu;
  machine_->steal(1 - busy, kMs);
  EXPECT_TRUE(heard.released.empty());
  machine_->steal(busy, kMs);
  machine_->steal(busy, 2 * kMs);
  EXPECT_EQ(heard.released, std::vector<s32>{busy}) << "once";
}

// kernel/sched/core.c, set_user_nice(), with enqueue_task_scx() and set_next_task_scx(): a task
// that runs is set running anew, by the CPU that changes it.
TEST_F(SimExt, HearsOfARunningTaskAgainWhenItsNiceValueChanges) {
  make(2, 2);
  Task& other = *machine_->running_on(0);
  machine_->at(machine_->now() + 1, [&] { scx_bpf_kick_cpu(1, 0); });
  run(20'000);  // now it is CPU 1 that acts
  heard.running_on.clear();
  machine_->set_nice(other, 5);
  EXPECT_EQ(heard.running_on, std::vector<u32>{1});
  EXPECT_TRUE(heard.enqueue_flags.empty());
  EXPECT_EQ(other.state, TaskState::kRunning);
}

// kernel/sched/core.c, __do_set_cpus_allowed(): likewise.
TEST_F(SimExt, HearsOfARunningTaskAgainWhenItsAffinityChanges) {
  make(2, 1);
  Task& task = *machine_->tasks()[0];
  machine_->set_affinity(task, only(static_cast<unsigned>(task.on_cpu)));
  EXPECT_EQ(heard.running_on.size(), 1U);
  EXPECT_TRUE(heard.enqueue_flags.empty());
  EXPECT_EQ(task.state, TaskState::kRunning);
}

// kernel/sched/core.c, __do_set_cpus_allowed() and move_queued_task(): one that waits is enqueued
// where it is, though it may not be there, and then where it may.
TEST_F(SimExt, EnqueuesAWaitingTaskTwiceWhenItMustMove) {
  make(2, 0);
  Task& a = hog(*machine_, 0, only(0));
  Task& b = hog(*machine_, 0, only(0));
  run(kMs);
  Task& waits = a.state == TaskState::kWaiting ? a : b;
  heard.enqueued_on.clear();
  machine_->set_affinity(waits, only(1));
  EXPECT_EQ(heard.enqueued_on, (std::vector{0, 1}));
}

// kernel/sched/core.c, migration_cpu_stop(), and switch_class(): the stopper is of a higher class.
TEST_F(SimExt, LosesTheCpuOfARunningTaskThatMustMove) {
  make(2, 1);
  Task& task = *machine_->tasks()[0];
  const int from = task.on_cpu;
  machine_->set_affinity(task, only(static_cast<unsigned>(1 - from)));
  EXPECT_EQ(heard.released, std::vector<s32>{from});
  EXPECT_EQ(heard.enqueued_on, std::vector{1 - from});
}

// balance_one() and do_enqueue_task(), scx_rq_online(): nobody is asked for a CPU that goes.
TEST_F(SimExt, AsksNothingForACpuThatGoes) {
  make(2, 4);
  machine_->offline(1);
  run(kMs);
  for (const s32 cpu : heard.dispatch_on) EXPECT_EQ(cpu, 0);
  for (const int cpu : heard.enqueued_on) EXPECT_EQ(cpu, 0);
}

// do_enqueue_task(), SCX_OPS_ENQ_EXITING: one that exits goes to the local queue, with a slice.
TEST_F(SimExt, AsksNobodyAboutATaskThatExits) {
  make(1, 1);
  Task& task = *machine_->tasks()[0];
  task.task_struct::flags |= kExiting;
  machine_->at(machine_->now() + 1, [&] {
    task.scx.slice = 0;
    machine_->steal(0, kMs);
  });
  run(10'000);
  EXPECT_TRUE(heard.enqueue_flags.empty());
  EXPECT_EQ(task.scx.slice, 20 * kMs);
}

// dispatch_to_local_dsq(): what is sent to another CPU that goes may be taken by any.
TEST_F(SimExt, PutsWhatIsSentToACpuThatGoesIntoTheGlobalQueue) {
  make(3, 0);
  machine_->offline(2);
  dispatcher().ops->enqueue = [](task_struct* p, u64) {
    scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | 2, kMs, 0);
  };
  CpuSet all = only(0);
  all.set(2);
  const Task& task = hog(*machine_, 0, all);
  run(kMs);
  EXPECT_EQ(machine_->exit().kind, Exit::kNone) << machine_->exit().message;
  EXPECT_EQ(task.state, TaskState::kRunning);
}

// select_task_rq_scx() and ops_cpu_valid().
TEST_F(SimExt, SelectingNoCpuIsAnError) {
  make(2, 0);
  heard.selects = 7;
  hog(*machine_);
  expect_error("invalid CPU 7 from ops.select_cpu()");
}

// kernel/sched/core.c, select_task_rq() and select_fallback_rq(): a CPU that the task may not use
// is no error.
TEST_F(SimExt, SelectingACpuThatIsNotAllowedIsNoError) {
  make(3, 0);
  CpuSet two = only(0);
  two.set(1);
  heard.selects = 2;
  const Task& task = hog(*machine_, 0, two);
  EXPECT_EQ(machine_->exit().kind, Exit::kNone);
  EXPECT_LT(task.on_cpu, 2);
}

// scx_dsq_insert_commit() and finish_dispatch(): from dispatch a task that is in no queue goes
// where it shall; one that is in a queue stays there.
TEST_F(SimExt, InsertsFromDispatchWhatIsItsOwn) {
  make(1, 0);
  heard.forgets = true;
  const Task& task = hog(*machine_);
  run(kMs);
  ASSERT_EQ(heard.forgotten, &task);
  EXPECT_EQ(task.queue, nullptr);
  dispatcher().ops->dispatch = [](s32, task_struct*) {
    scx_bpf_dsq_insert(heard.forgotten, SCX_DSQ_LOCAL, kMs, 0);
    scx_bpf_dsq_insert(heard.forgotten, kQueue, kMs, 0);  // too late
  };
  scx_bpf_kick_cpu(0, 0);
  run(100'000);
  EXPECT_EQ(task.state, TaskState::kRunning);
  EXPECT_EQ(machine_->exit().kind, Exit::kNone) << machine_->exit().message;
}

// scx_dsq_insert_commit(): ops.dispatch_max_batch.
TEST_F(SimExt, InsertsNoMoreThanItsBatchFromDispatch) {
  make(1, 0);
  heard.forgets = true;
  hog(*machine_);
  run(kMs);
  dispatcher().ops->dispatch = [](s32, task_struct*) {
    for (int i = 0; i < 33; ++i) scx_bpf_dsq_insert(heard.forgotten, kQueue, kMs, 0);
  };
  scx_bpf_kick_cpu(0, 0);
  run(100'000);
  expect_error("dispatch buffer overflow");
}

// balance_one(), SCX_DSP_MAX_LOOPS: dispatch is called again while it dispatches in vain, 32 times;
// then the CPU is kicked, and goes on in another round.
TEST_F(SimExt, KicksACpuThatDispatchesInVain) {
  make(1, 0);
  heard.forgets = true;
  hog(*machine_);
  run(kMs);
  heard.dispatch_on.clear();
  dispatcher().ops->dispatch = [](s32 cpu, task_struct*) {
    heard.dispatch_on.push_back(cpu);
    if (heard.dispatch_on.size() > 40) return;
    // It is in no queue from which this CPU takes.
    scx_bpf_dsq_insert(heard.forgotten, kQueue, kMs, 0);
  };
  scx_bpf_kick_cpu(0, 0);
  run(10 * kMs);
  EXPECT_EQ(heard.dispatch_on.size(), 41U);
}

// mark_direct_dispatch(): the task that is enqueued, once.
TEST_F(SimExt, InsertsInEnqueueNobodyElse) {
  make(1, 1);
  dispatcher().ops->enqueue = [](task_struct*, u64) {
    scx_bpf_dsq_insert(Machine::current().tasks()[0].get(), kQueue, kMs, 0);
  };
  hog(*machine_);
  expect_error("scheduling for hog[101] but trying to direct-dispatch hog[100]");
}

// mark_direct_dispatch().
TEST_F(SimExt, InsertsInEnqueueOnce) {
  make(1, 1);
  dispatcher().ops->enqueue = [](task_struct* p, u64) {
    scx_bpf_dsq_insert(p, kQueue, kMs, 0);
    scx_bpf_dsq_insert(p, kQueue, kMs, 0);
  };
  hog(*machine_);
  expect_error("hog[101] already direct-dispatched");
}

// scx_dsq_insert_preamble(), __SCX_ENQ_INTERNAL_MASK.
TEST_F(SimExt, RefusesTheKernelsOwnEnqueueFlags) {
  make(1, 1);
  dispatcher().ops->enqueue = [](task_struct* p, u64) {
    scx_bpf_dsq_insert(p, kQueue, kMs, std::uint64_t{1} << 56);
  };
  hog(*machine_);
  expect_error("invalid enq_flags");
}

// dispatch_enqueue(): a queue is in the order of arrival or of vtime.
TEST_F(SimExt, MixesNoOrdersInAQueue) {
  make(1, 3);
  dispatcher().ops->enqueue = [](task_struct* p, u64) {
    scx_bpf_dsq_insert_vtime(p, kQueue, kMs, 1, 0);
  };
  hog(*machine_);
  expect_error("already had FIFO-enqueued tasks");
}

// dispatch_enqueue(): the kernel's own queues are in the order of arrival.
TEST_F(SimExt, OrdersNoLocalQueueByVtime) {
  make(1, 1);
  dispatcher().ops->enqueue = [](task_struct* p, u64) {
    scx_bpf_dsq_insert_vtime(p, SCX_DSQ_LOCAL, kMs, 1, 0);
  };
  hog(*machine_);
  expect_error("cannot use vtime ordering for built-in DSQs");
}

// scx_dsq_move() and scx_kf_allowed(): in dispatch, or where no runqueue is locked.
TEST_F(SimExt, MovesNothingFromEnqueue) {
  make(1, 3);
  dispatcher().ops->enqueue = [](task_struct*, u64) {
    bpf_iter_scx_dsq it{};
    bpf_iter_scx_dsq_new(&it, kQueue, 0);
    task_struct* p = bpf_iter_scx_dsq_next(&it);
    ASSERT_NE(p, nullptr);
    EXPECT_FALSE(scx_bpf_dsq_move(&it, p, kQueue, 0));
    bpf_iter_scx_dsq_destroy(&it);
  };
  hog(*machine_);
  expect_error("kfunc with mask 0x2 called from an operation only allowing 0x4");
}

}  // namespace
}  // namespace cppland::sim
