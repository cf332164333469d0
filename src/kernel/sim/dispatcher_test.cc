// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_test.cc - the dispatcher's rarer ways: CPUs that go, decisions that make no sense,
// older kernels, machines of unequal CPUs, and its end. What rests on a rule of the kernel's names
// it.
#include "kernel/sim/dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kernel/shared_rings.h"
#include "kernel/sim/machine.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own

constexpr std::uint64_t kShared = CPPLAND_MAX_CPUS;  // DSQ_SHARED of bpf/state.bpf.h

// An agent that decides what a test tells it to, of whoever it hears of.
class Puppet final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    std::vector<cppland_event> events(16);
    while (const std::size_t n = rings_.read_events(events)) {
      for (std::size_t i = 0; i < n; ++i) answer(events[i]);
    }
    rings_.finish_pass(0);
    running_ = !running_;
    return running_ ? Step{Step::Kind::kRun, 10'000} : Step{Step::Kind::kYield, 0};
  }

  cppland_decision decision{.cpu = CPPLAND_CPU_ANY, .op = CPPLAND_DECIDE_RUN};
  std::uint64_t generation_off = 0;
  bool hogs_have_credit = true;
  std::uint64_t heard_preempt_ns = 0;

 private:
  void answer(const cppland_event& event) {
    heard_preempt_ns += event.preempt_ns;
    if (event.type != CPPLAND_EVENT_READY) return;
    cppland_decision out = decision;
    if (out.tid == 0) out.tid = event.tid;
    out.key = event.at_ns;  // first come, first served
    if (event.exec_runtime_ns > kMs && !hogs_have_credit) out.wake_credit_ns = 0;
    out.generation = event.generation + generation_off;
    rings_.write_decisions({&out, 1});
  }

  SharedRings rings_{Machine::channel()};
  bool running_ = false;
};

class SimDispatcher : public ::testing::Test {
 protected:
  void make(Topology topology, const MachineOptions& options = {}) {
    machine_.emplace(std::move(topology), options);
  }

  void add_puppet() {
    auto behaviour = std::make_unique<Puppet>();
    puppet_ = behaviour.get();
    machine_->start_agent({.name = "agent", .behaviour = std::move(behaviour)});
  }

  void run(std::uint64_t ns) {
    if (!machine_->attached()) machine_->attach();
    machine_->run(machine_->now() + ns);
    EXPECT_EQ(machine_->exit().kind, Exit::kNone) << machine_->exit().message;
  }

  static const sched_ext_ops& ops() { return *dispatcher().ops; }
  static std::uint64_t count(cppland_counter which) { return counter(Machine::shm(), which); }

  std::optional<Machine> machine_;
  Puppet* puppet_ = nullptr;
};

// --- decisions ---

TEST_F(SimDispatcher, CarriesOutWhatIsDecided) {
  make(cpus(2));
  add_puppet();
  for (int i = 0; i < 5; ++i) hog(*machine_);
  run(kSec);
  EXPECT_GT(count(CPPLAND_NR_USER_DISPATCHES), 100U);
  EXPECT_EQ(count(CPPLAND_NR_FAILED_DISPATCHES), 0U);
}

TEST_F(SimDispatcher, SendsTasksToTheCpuThatIsDecided) {
  make(cpus(2));
  add_puppet();
  puppet_->decision.cpu = 1;
  for (int i = 0; i < 5; ++i) hog(*machine_);
  run(kSec);
  EXPECT_GT(count(CPPLAND_NR_USER_DISPATCHES), 100U);
  EXPECT_EQ(count(CPPLAND_NR_BOUNCE_DISPATCHES), 0U);
}

TEST_F(SimDispatcher, SendsElsewhereWhatIsDecidedForACpuThatCannotBe) {
  make(cpus(2));
  add_puppet();
  puppet_->decision.cpu = 7;
  for (int i = 0; i < 5; ++i) hog(*machine_);
  run(kSec);
  EXPECT_GT(count(CPPLAND_NR_BOUNCE_DISPATCHES), 100U);
  EXPECT_GE(count(CPPLAND_NR_USER_DISPATCHES) + 1, count(CPPLAND_NR_BOUNCE_DISPATCHES));
}

TEST_F(SimDispatcher, ShortensSlicesThatAreTooLong) {
  make(cpus(1));
  add_puppet();
  puppet_->decision.slice_ns = 10 * kSec;
  const Task& a = hog(*machine_);
  const Task& b = hog(*machine_);
  run(2 * kSec);
  EXPECT_GT(a.se.sum_exec_runtime, kSec / 2);
  EXPECT_GT(b.se.sum_exec_runtime, kSec / 2);
}

TEST_F(SimDispatcher, CountsDecisionsThatMakeNoSense) {
  for (const bool domain : {false, true}) {
    make(cpus(1));
    add_puppet();
    (domain ? puppet_->decision.domain : puppet_->decision.op) = 77;
    for (int i = 0; i < 3; ++i) hog(*machine_);
    run(kSec);
    EXPECT_GT(count(CPPLAND_NR_FAILED_DISPATCHES), 10U);
    EXPECT_EQ(count(CPPLAND_NR_USER_DISPATCHES), 0U);
    machine_.reset();
  }
}

TEST_F(SimDispatcher, CancelsDecisionsAboutNobodyAndAboutAnotherWait) {
  struct Case {
    std::int32_t tid;
    std::uint64_t generation_off;
  };
  for (const Case& c : {Case{9'999, 0}, {0, 1}, {0, 1ULL << 32}}) {
    make(cpus(1));
    add_puppet();
    puppet_->decision.tid = c.tid;
    puppet_->generation_off = c.generation_off;
    for (int i = 0; i < 3; ++i) hog(*machine_);
    run(kSec);
    EXPECT_GT(count(CPPLAND_NR_CANCEL_DISPATCHES), 10U) << c.tid << " " << c.generation_off;
    EXPECT_EQ(count(CPPLAND_NR_USER_DISPATCHES), 0U);
    machine_.reset();
  }
}

TEST_F(SimDispatcher, EmptiesARingWhoseIndexMakesNoSense) {
  make(cpus(1));
  for (int i = 0; i < 3; ++i) hog(*machine_);
  run(10 * kMs);
  Machine::channel().agent.decision_head = 1ULL << 40;
  run(100 * kMs);
  EXPECT_EQ(count(CPPLAND_NR_FAILED_DISPATCHES), 1U);
  EXPECT_EQ(Machine::channel().dispatcher.decision_tail, 1ULL << 40);
}

TEST_F(SimDispatcher, CountsEventsThatFindTheRingFull) {
  make(cpus(1));
  add_puppet();
  for (int i = 0; i < 3; ++i) hog(*machine_);
  Machine::channel().agent.event_tail = 1;  // before the head: looks full
  run(kSec);
  EXPECT_GT(count(CPPLAND_NR_SCHED_CONGESTED), 10U);
  EXPECT_EQ(count(CPPLAND_NR_EVENTS), 0U);
}

// --- CPUs that go and come ---

// kernel/sched/core.c, balance_hotplug_wait(): a CPU goes when nobody waits in its name.
TEST_F(SimDispatcher, EmptiesTheQueueOfACpuThatLeavesUntilItComesBack) {
  make(cpus(2));
  add_puppet();
  puppet_->decision.cpu = 1;
  std::vector<const Task*> hogs;
  for (int i = 0; i < 6; ++i) hogs.push_back(&hog(*machine_));
  run(100 * kMs);
  machine_->offline(1);
  ops().cpu_offline(1);  // said twice
  run(kSec);
  EXPECT_EQ(scx_bpf_dsq_nr_queued(1), 0);
  EXPECT_GT(count(CPPLAND_NR_BOUNCE_DISPATCHES), 10U) << "nothing is sent there any more";
  EXPECT_EQ(Machine::channel().dispatcher.nr_online, 1U) << "what policies reckon with";
  machine_->online(1);
  const std::uint64_t bounced = count(CPPLAND_NR_BOUNCE_DISPATCHES);
  run(kSec);
  EXPECT_LE(count(CPPLAND_NR_BOUNCE_DISPATCHES), bounced + 1);
  EXPECT_EQ(Machine::channel().dispatcher.nr_online, 2U);
  for (const Task* task : hogs) EXPECT_GT(task->se.sum_exec_runtime, kSec / 6);
}

TEST_F(SimDispatcher, KnowsNoCpuBeyondItsLast) {
  make(cpus(1));
  hog(*machine_);
  run(10 * kMs);
  ops().cpu_offline(-1);
  ops().cpu_online(CPPLAND_MAX_CPUS);
  run(100 * kMs);
}

// Whenever a task called "frame" wakes up, takes the CPU that it is to run on, and notes how long
// it waits.
class Thief final : public Observer {
 public:
  void woke(const Task& task, std::uint64_t /*at*/) override {
    if (task.name != "frame") return;
    Machine& machine = Machine::current();
    machine.at(machine.now() + 1, [&machine, &task] {
      if (task.state == TaskState::kWaiting && machine.running_on(task.on_cpu))
        machine.steal(task.on_cpu, 50 * kMs);
    });
  }
  void began(const Task& task, int /*cpu*/, std::uint64_t at) override {
    if (task.name == "frame") longest_ = std::max(longest_, at - task.woken_at);
  }
  [[nodiscard]] std::uint64_t longest() const { return longest_; }

 private:
  std::uint64_t longest_ = 0;
};

// kernel/sched/ext.c, switch_class() and scx_bpf_reenqueue_local().
TEST_F(SimDispatcher, PutsBackWhatWaitsOnACpuThatAHigherClassTakes) {
  Thief thief;
  machine_.emplace(cpus(2), MachineOptions{}, &thief);
  add_puppet();
  puppet_->decision.wake_credit_ns = 10 * kMs;
  for (int i = 0; i < 3; ++i) hog(*machine_);
  machine_->start({.name = "frame", .behaviour = std::make_unique<Periodic>(160 * kMs, kMs)});
  run(3 * kSec);
  EXPECT_GT(thief.longest(), 0U);
  EXPECT_LT(thief.longest(), 40 * kMs);
  machine_.reset();
}

// --- kinds of machines and kernels ---

// kernel/sched/ext_idle.c, scx_bpf_select_cpu_and(): among some CPUs only.
TEST_F(SimDispatcher, PrefersBigCpusOnAHybridMachine) {
  std::vector<Cpu> all;
  for (unsigned id = 0; id < 4; ++id)
    all.push_back({.id = id, .core = id, .capacity = id < 2 ? 300U : Cpu::kFullCapacity});
  make(Topology(all));
  *dispatcher().hybrid = 1;
  const Task& a = hog(*machine_);
  const Task& b = hog(*machine_);
  run(100 * kMs);
  EXPECT_GE(a.ran_on, 2);
  EXPECT_GE(b.ran_on, 2);
}

// kernel/sched/ext.c, scx_bpf_cpu_curr(), which there is from 6.18 on, and scx_bpf_cpu_rq().
TEST_F(SimDispatcher, PreemptsOnKernelsWithoutTheNewerFunctions) {
  for (const bool curr : {true, false}) {
    make(cpus(1), {.has = {.scx_bpf_cpu_curr = curr, .scx_bpf_cpu_rq = !curr}});
    add_puppet();
    puppet_->decision.wake_credit_ns = 10 * kMs;
    hog(*machine_);
    hog(*machine_);
    machine_->start({.name = "frame", .behaviour = std::make_unique<Periodic>(16 * kMs, kMs)});
    run(kSec);
    EXPECT_GT(count(CPPLAND_NR_PREEMPT_WAKEUPS), 5U) << curr;
    machine_.reset();
  }
}

// kernel/sched/core.c, set_user_nice(): ops.running() again, on the CPU of whoever changes it.
TEST_F(SimDispatcher, PreemptsAlsoWhoHasChangedTheNiceValueOfAnother) {
  make(cpus(2));
  add_puppet();
  puppet_->decision.wake_credit_ns = 10 * kMs;
  CpuSet first;
  first.set(0);
  CpuSet second;
  second.set(1);
  hog(*machine_, 0, first);
  hog(*machine_, 0, first);
  Task& other = hog(*machine_, 0, second);
  machine_->start(
      {.name = "frame", .cpus = first, .behaviour = std::make_unique<Periodic>(16 * kMs, kMs)});
  for (int n = 0; n < 2000; ++n) {
    run(480'000);
    machine_->at(machine_->now() + 1, [] { scx_bpf_kick_cpu(0, 0); });
    run(20'000);  // now it is CPU 0 that acts
    if (other.state == TaskState::kRunning) machine_->set_nice(other, n % 2);
  }
  EXPECT_GT(count(CPPLAND_NR_PREEMPT_WAKEUPS), 10U);
}

TEST_F(SimDispatcher, TakesAFeeOffTheCreditForCuttingATurnShort) {
  make(cpus(1));
  add_puppet();
  puppet_->decision.wake_credit_ns = CPPLAND_PREEMPT_NS * 7 / 2;
  puppet_->hogs_have_credit = false;
  hog(*machine_);
  hog(*machine_);
  constexpr std::uint64_t kPeriod = 300'000;  // less than protect_ns of bpf/state.bpf.h
  machine_->start({.name = "often", .behaviour = std::make_unique<Periodic>(kPeriod, 1'000)});
  run(4 * kSec);
  const std::uint64_t preempted = count(CPPLAND_NR_PREEMPT_WAKEUPS);
  EXPECT_GT(preempted, 20U);
  EXPECT_LE(preempted, 4 * kSec / kPeriod * 4 / 5) << "then it waits for its turn, and more";
  EXPECT_GT(puppet_->heard_preempt_ns, preempted * CPPLAND_PREEMPT_NS / 2);
  EXPECT_LE(puppet_->heard_preempt_ns, preempted * CPPLAND_PREEMPT_NS);
}

TEST_F(SimDispatcher, WhoHasLittleCreditWaitsItsTurnBehindWhoHasCredit) {
  make(cpus(1));
  add_puppet();
  puppet_->decision.wake_credit_ns = CPPLAND_PREEMPT_NS * 7 / 2;
  hog(*machine_);
  hog(*machine_);
  machine_->start({.name = "often", .behaviour = std::make_unique<Periodic>(300'000, 1'000)});
  run(4 * kSec);
  EXPECT_GT(count(CPPLAND_NR_USER_DISPATCHES), 1000U);
  EXPECT_EQ(count(CPPLAND_NR_PREEMPT_WAKEUPS), 0U) << "it is not put before them by a nudge";
}

TEST_F(SimDispatcher, TakesNoFeeForPreemptingWhoHasHadATurn) {
  make(cpus(1));
  add_puppet();
  puppet_->decision.wake_credit_ns = CPPLAND_PREEMPT_NS * 7 / 2;
  hog(*machine_);
  hog(*machine_);
  machine_->start({.name = "frame", .behaviour = std::make_unique<Periodic>(17 * kMs, 1'000)});
  run(4 * kSec);
  EXPECT_GT(count(CPPLAND_NR_PREEMPT_WAKEUPS), 4 * kSec / (17 * kMs) / 2);
  EXPECT_LE(puppet_->heard_preempt_ns, 4 * CPPLAND_PREEMPT_NS);
}

// --- without the agent ---

// Is called once, and never comes back, as if it were stopped.
class Stopped final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override { return {Step::Kind::kBlock, 0}; }
};

// Sleeps once, and then works on and on.
class LateHog final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    if (!std::exchange(slept_, true)) return {Step::Kind::kSleep, 20 * kMs};
    return {Step::Kind::kRun, kSec};
  }

 private:
  bool slept_ = false;
};

TEST_F(SimDispatcher, WithoutTheAgentOnlyWhoUsesLittlePreemptsAllTheTime) {
  static constexpr std::uint64_t kPeriod = 5 * kMs;
  const auto preempted = [this](std::uint64_t work) {
    make(cpus(1));
    machine_->start_agent({.name = "agent", .behaviour = std::make_unique<Stopped>()});
    for (int i = 0; i < 5; ++i) hog(*machine_);
    machine_->start({.name = "often", .behaviour = std::make_unique<Periodic>(kPeriod, work)});
    run(kSec);
    const std::uint64_t before = count(CPPLAND_NR_PREEMPT_WAKEUPS);
    run(4 * kSec);
    const std::uint64_t during = count(CPPLAND_NR_PREEMPT_WAKEUPS) - before;
    machine_.reset();
    return during;
  };
  const std::uint64_t wakes = 4 * kSec / kPeriod;
  EXPECT_GT(preempted(kPeriod / 20), wakes * 9 / 10);
  EXPECT_LT(preempted(kPeriod * 16 / 100), wakes * 7 / 10) << "it uses about its sixth";
}

TEST_F(SimDispatcher, WithoutTheAgentAHogThatHasSleptOnceIsNotSpared) {
  Log log;
  machine_.emplace(cpus(1), MachineOptions{}, &log);
  machine_->start_agent({.name = "agent", .behaviour = std::make_unique<Stopped>()});
  for (int i = 0; i < 3; ++i)
    machine_->start({.name = "hog", .behaviour = std::make_unique<LateHog>()});
  machine_->start({.name = "frame", .behaviour = std::make_unique<Periodic>(17'100'000, 300'000)});
  run(2 * kSec);
  log.waits.clear();
  run(4 * kSec);
  EXPECT_GT(log.waits.size(), 200U);
  EXPECT_LT(*std::ranges::max_element(log.waits), 100'000U);
  machine_.reset();
}

// --- synchronous hand-offs ---

// Runs for a while, wakes another one up, saying that it is about to sleep, goes on, and sleeps.
class Caller final : public Behaviour {
 public:
  Caller(std::uint64_t goes_on, Step sleep) : goes_on_(goes_on), sleep_(sleep) {}
  void call(Task& whom) { whom_ = &whom; }
  Step next(Machine& machine, Task& /*task*/) override {
    at_ = (at_ + 1) % 3;
    if (at_ == 1) return {Step::Kind::kRun, 5'000};
    if (at_ == 2) {
      if (whom_) machine.wake(*whom_, true);
      if (goes_on_ > 0) return {Step::Kind::kRun, goes_on_};
    }
    at_ = 0;
    return sleep_;
  }

 private:
  std::uint64_t goes_on_;
  Step sleep_;
  Task* whom_ = nullptr;
  int at_ = 0;
};

class SimHandoff : public SimDispatcher {
 protected:
  // One that wakes another up and goes on for so long. The other one wakes it up in turn if it does
  // not, or else it sleeps for a millisecond.
  void make_pair(std::uint64_t goes_on) {
    machine_.emplace(cpus(2), MachineOptions{}, &log_);
    const Step block{Step::Kind::kBlock, 0};
    const Step sleep{Step::Kind::kSleep, kMs};
    auto caller = std::make_unique<Caller>(goes_on, goes_on > 0 ? sleep : block);
    auto called = std::make_unique<Caller>(0, block);
    Caller& first = *caller;
    Caller& second = *called;
    Task& calls = machine_->start({.name = "caller", .behaviour = std::move(caller)});
    first.call(machine_->start({.name = "frame", .behaviour = std::move(called)}));
    if (goes_on == 0) second.call(calls);
  }

  [[nodiscard]] std::uint64_t longest_wait() const {
    return log_.waits.empty() ? 0 : *std::ranges::max_element(log_.waits);
  }

  Log log_;
};

TEST_F(SimHandoff, LeavesTheOtherCpuIdle) {
  make_pair(0);
  run(10 * kMs);
  const std::uint64_t idle[] = {machine_->idle_ns(0), machine_->idle_ns(1)};
  log_.waits.clear();
  run(100 * kMs);
  EXPECT_GT(log_.waits.size(), 1000U);
  const std::uint64_t more =
      std::max(machine_->idle_ns(0) - idle[0], machine_->idle_ns(1) - idle[1]);
  EXPECT_EQ(more, 100 * kMs);
}

TEST_F(SimHandoff, TakesTheCpuFromAWakerThatGoesOn) {
  make_pair(3 * kMs);
  run(kSec);
  EXPECT_GT(log_.waits.size(), 100U);
  EXPECT_LT(longest_wait(), 250'000U);
}

TEST_F(SimHandoff, LearnsThatAWakerGoesOn) {
  make_pair(3 * kMs);
  run(10 * kSec);
  const auto late = [](std::uint64_t wait) { return wait > 20'000; };
  EXPECT_GT(std::ranges::count_if(log_.waits, late), 2) << "it is tried again";
  EXPECT_LT(std::ranges::count_if(log_.waits, late), 15);
}

TEST_F(SimHandoff, DoesNotPassAheadOfWhoWaits) {
  make_pair(0);
  std::vector<const Task*> hogs;
  for (int i = 0; i < 4; ++i) hogs.push_back(&hog(*machine_));
  run(kSec);
  // Else the two would keep a CPU to themselves.
  for (const Task* each : hogs) EXPECT_GT(each->se.sum_exec_runtime, kSec * 3 / 10);
}

// kernel/sched/ext_idle.c, scx_bpf_pick_idle_cpu_node(): SCX_PICK_IDLE_IN_NODE.
TEST_F(SimDispatcher, LooksForAnIdleCpuInTheTasksNodeWithNumaLocal) {
  std::vector<Cpu> all;
  for (unsigned id = 0; id < 4; ++id)
    all.push_back({.id = id, .core = id, .llc = id / 2, .node = id / 2});
  make(Topology(all), {.numa_local = true});
  Task& task = hog(*machine_);
  task.numa_preferred_nid = 1;
  run(100 * kMs);
  EXPECT_GE(task.ran_on, 2);
}

TEST_F(SimDispatcher, AsksNobodyAboutTasksOfOneCpuWithPercpuLocal) {
  CpuSet first;
  first.set(0);
  for (const bool local : {false, true}) {
    make(cpus(1));
    add_puppet();
    *dispatcher().percpu_local = local;
    for (int i = 0; i < 3; ++i) hog(*machine_, 0, first);
    run(kSec);
    EXPECT_EQ(count(CPPLAND_NR_USER_DISPATCHES) > 10, !local);
    machine_.reset();
  }
}

// --- its end ---

// kernel/sched/ext.c, scx_disable_workfn(): ops.exit() is told how.
TEST_F(SimDispatcher, WritesDownHowItEnded) {
  make(cpus(1));
  hog(*machine_);
  run(10 * kMs);
  ops().dump(nullptr);
  char message[] = "as asked";
  scx_exit_info info{.exit_code = 3, .reason = "unregistered", .msg = message};
  EXPECT_EQ(Machine::channel().dispatcher.attached, 1U);
  ops().exit(&info);
  EXPECT_EQ(Machine::channel().dispatcher.attached, 0U);
}

// kernel/sched/ext.c, scx_bpf_create_dsq() and scx_enable(): if ops.init() fails, nothing begins.
TEST_F(SimDispatcher, DoesNotBeginWithAQueueThatIsThere) {
  make(cpus(1));
  EXPECT_EQ(scx_bpf_create_dsq(kShared, -1), 0);
  machine_->attach();
  EXPECT_EQ(machine_->exit().kind, Exit::kError);
  EXPECT_NE(machine_->exit().message.find("ops.init()"), std::string::npos);
}

}  // namespace
}  // namespace cppland::sim
