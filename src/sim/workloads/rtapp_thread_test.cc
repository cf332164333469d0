// SPDX-License-Identifier: GPL-2.0-only
// rtapp_thread_test.cc - what each event of rt-app does, to the microsecond.
#include "sim/workloads/rtapp_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sim/workloads/rtapp.h"
#include "tests/support/play.h"

namespace cppland::sim::rtapp {
namespace {

using namespace cppland::sim::testing;  // NOLINT(google-build-using-namespace): these tests' words

constexpr std::uint64_t kUs = 1'000;

std::unique_ptr<Workload> app(std::string_view tasks) {
  auto workload = load(fmt::format(R"({{ "tasks" : {{ {} }} }})", tasks));
  EXPECT_TRUE(workload) << workload.error().message();
  return std::move(*workload);
}

// On so many CPUs that nobody waits for one, and almost without costs: who is woken comes to its
// CPU only when who wakes it has gone on.
std::unique_ptr<Play> played(std::string_view tasks, std::uint64_t ns, unsigned cpus = 4) {
  MachineOptions options = at_no_cost();
  options.costs.interrupt_to_cpu = 10;
  auto play = std::make_unique<Play>(app(tasks), cpus, options);
  play->run(ns);
  EXPECT_EQ(play->machine().exit().kind, Exit::kNone) << play->machine().exit().message;
  return play;
}

TEST(RtAppThread, RunsAndSleepsAsOftenAsItSaysThenExits) {
  const auto play = played(R"("a" : { "loop" : 2, "run" : 100, "sleep" : 50 })", 10 * kMs);
  EXPECT_EQ(play->ran("a"), "0-100 150-250 300-300 ");
  EXPECT_EQ(play->task("a").state, TaskState::kDead);
  EXPECT_EQ(play->progress("a").units, 2U);
}

TEST(RtAppThread, GoesThroughItsPhasesInOrder) {
  const auto play = played(R"("a" : { "loop" : 2, "phases" : {
      "p" : { "loop" : 2, "run" : 10, "sleep" : 10 },
      "q" : { "run" : 100, "sleep" : 10 } } })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-10 20-30 40-140 150-160 170-180 190-290 300-300 ");
}

TEST(RtAppThread, APhaseForEverIsNeverLeft) {
  const auto play = played(R"("a" : { "phases" : {
      "p" : { "loop" : -1, "run" : 10, "sleep" : 90 }, "q" : { "run" : 1 } } })",
                           100 * kMs);
  EXPECT_EQ(play->progress("a").units, 1000U);
}

TEST(RtAppThread, WorkTakesLongerOnASlowCpuAndRuntimeDoesNot) {
  const Topology slow({{.id = 0, .capacity = 512}});
  for (const auto& [event, end] : {std::pair{"run", 2048U}, std::pair{"runtime", 1024U}}) {
    const auto workload = app(fmt::format(R"("a" : {{ "loop" : 1, "{}" : 1024 }})", event));
    Diary diary(1'000'000'000);
    Machine machine(slow, at_no_cost(), &diary);
    class Plain final : public Stage {
     public:
      explicit Plain(Machine& machine) : machine_(machine) {}
      Task& start(Job job) override {
        return machine_.start({.name = job.name, .behaviour = std::move(job.program)});
      }
      Machine& machine() noexcept override { return machine_; }
      Random& random() noexcept override { return random_; }

     private:
      Machine& machine_;
      Random random_{1};
    } stage(machine);
    workload->begin(stage);
    machine.attach();
    machine.run(machine.now() + 10 * kMs);
    EXPECT_EQ(diary.ran("a"), fmt::format("0-{} ", end));
  }
}

TEST(RtAppThread, RuntimeIsOverByTheClockEvenIfItHadNoCpu) {
  Play play(app(R"("a" : { "loop" : 1, "cpus" : [0], "runtime" : 20000 },
                   "b" : { "loop" : 1, "cpus" : [0], "run" : 20000 })"),
            1, at_no_cost());
  play.run(100 * kMs);
  const auto ran = [&](const char* name) { return play.task(name).se.sum_exec_runtime / kUs; };
  EXPECT_LT(ran("a"), 19'000U);
  EXPECT_EQ(ran("b"), 20'000U);
}

TEST(RtAppThread, ATimerGoesOnFromWhereItWasNotFromWhenItsWorkWasDone) {
  const auto play = played(R"("a" : { "loop" : 3, "run" : 30,
      "timer" : { "ref" : "unique", "period" : 100 } })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-30 100-130 200-230 300-300 ");
  EXPECT_EQ(play->progress("a").periods, 3U);
  EXPECT_EQ(play->progress("a").missed, 0U);
}

// 30, then once 250, then 30 us of work, for a period of 100 us.
constexpr const char* kLate = R"("a" : {{ "loop" : 1, "phases" : {{
    "p" : {{ "loop" : 2, "run" : 30, "timer" : {{ "ref" : "unique", "period" : 100{0} }} }},
    "q" : {{ "run" : 250, "timer" : {{ "ref" : "unique", "period" : 100{0} }} }},
    "r" : {{ "loop" : 3, "run" : 30, "timer" : {{ "ref" : "unique", "period" : 100{0} }} }} }} }})";

TEST(RtAppThread, ARelativeTimerThatIsLateStartsAnew) {
  const auto play = played(fmt::format(kLate, ""), 2 * kMs);
  EXPECT_EQ(play->ran("a"), "0-30 100-130 200-480 550-580 650-680 750-750 ");
  EXPECT_EQ(play->progress("a").periods, 6U);
  EXPECT_EQ(play->progress("a").missed, 1U);
}

TEST(RtAppThread, AnAbsoluteTimerThatIsLateCatchesUp) {
  const auto play = played(fmt::format(kLate, R"(, "mode" : "absolute")"), 2 * kMs);
  EXPECT_EQ(play->ran("a"), "0-30 100-130 200-540 600-600 ");
  EXPECT_EQ(play->progress("a").periods, 6U);
  EXPECT_EQ(play->progress("a").missed, 3U);
}

TEST(RtAppThread, ADelayIsWhereItsTimersBegin) {
  const auto play = played(R"("a" : { "delay" : 40, "loop" : 2, "run" : 30,
      "timer" : { "ref" : "unique", "period" : 100 } })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-0 40-70 140-170 240-240 ");
}

TEST(RtAppThread, InstancesHaveUniqueTimersOfTheirOwnAndShareOthers) {
  const auto own = played(R"("a" : { "instance" : 2, "loop" : 1, "run" : 10,
      "timer" : { "ref" : "uniqueA", "period" : 100 } })",
                          kMs);
  EXPECT_EQ(own->ran("a-0"), "0-10 100-100 ");
  EXPECT_EQ(own->ran("a-1"), "0-10 100-100 ");
  EXPECT_EQ(own->count("a"), 2U);
  const auto shared = played(R"("a" : { "instance" : 2, "loop" : 1, "run" : 10,
      "timer" : { "ref" : "A", "period" : 100 } })",
                             kMs);
  EXPECT_EQ(shared->ran("a-0"), "0-10 100-100 ");
  EXPECT_EQ(shared->ran("a-1"), "0-10 200-200 ");
}

TEST(RtAppThread, AMutexKeepsOthersOut) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "lock" : "m", "run" : 100, "unlock" : "m", "run" : 50 },
      "b" : { "loop" : 1, "delay" : 10, "lock" : "m", "run" : 100, "unlock" : "m" },
      "c" : { "loop" : 1, "delay" : 20, "lock" : "other", "run" : 10, "unlock" : "other" })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-150 ");
  EXPECT_EQ(play->ran("b"), "0-0 10-10 100-200 ");
  EXPECT_EQ(play->ran("c"), "0-0 20-30 ");
}

TEST(RtAppThread, WhoUnlocksMayLockAgainBeforeWhoWaits) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "lock" : "m", "run" : 100, "unlock" : "m", "lock" : "m", "run" : 100,
              "unlock" : "m" },
      "b" : { "loop" : 1, "delay" : 10, "lock" : "m", "run" : 10, "unlock" : "m" })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-200 ");
  EXPECT_EQ(play->ran("b"), "0-0 10-10 100-100 200-210 ");
}

TEST(RtAppThread, WaitGivesUpTheMutexAndTakesItAgain) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "lock" : "m", "wait" : { "ref" : "c", "mutex" : "m" }, "run" : 10,
              "unlock" : "m" },
      "b" : { "loop" : 1, "delay" : 50, "lock" : "m", "signal" : "c", "run" : 100, "unlock" : "m" })",
                           kMs);
  EXPECT_EQ(play->ran("b"), "0-0 50-150 ");
  EXPECT_EQ(play->ran("a"), "0-0 50-50 150-160 ");
}

TEST(RtAppThread, ASignalWakesTheFirstWaiterABroadcastAll) {
  constexpr const char* kWaiters = R"(
      "a" : {{ "instance" : 2, "loop" : 1, "lock" : "m", "wait" : {{ "ref" : "c", "mutex" : "m" }},
               "unlock" : "m", "run" : 10 }},
      "b" : {{ "loop" : 1, "delay" : 50, "{}" : "c" }})";
  const auto one = played(fmt::format(kWaiters, "signal"), kMs);
  EXPECT_EQ(one->ran("a-0"), "0-0 50-60 ");
  EXPECT_EQ(one->ran("a-1"), "0-0 ");
  const auto all = played(fmt::format(kWaiters, "broad"), kMs);
  EXPECT_EQ(all->ran("a-0"), "0-0 50-60 ");
  EXPECT_EQ(all->ran("a-1"), "0-0 50-60 ");
}

TEST(RtAppThread, ASignalBeforeAnybodyWaitsIsLost) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "delay" : 50, "lock" : "m", "wait" : { "ref" : "c", "mutex" : "m" } },
      "b" : { "loop" : 1, "signal" : "c", "run" : 10 })",
                           kMs);
  EXPECT_EQ(play->task("a").state, TaskState::kBlocked);
}

TEST(RtAppThread, SyncSignalsAndWaitsForTheAnswer) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "lock" : "m", "wait" : { "ref" : "c", "mutex" : "m" }, "run" : 40,
              "signal" : "c", "unlock" : "m" },
      "b" : { "loop" : 1, "delay" : 50, "run" : 10, "lock" : "m",
              "sync" : { "ref" : "c", "mutex" : "m" }, "unlock" : "m", "run" : 10 })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-0 60-100 ");
  EXPECT_EQ(play->ran("b"), "0-0 50-60 100-110 ");
}

TEST(RtAppThread, ResumeWakesWhoIsSuspendedUnderThatName) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "suspend", "run" : 10 },
      "b" : { "instance" : 2, "loop" : 1, "suspend" : "team", "run" : 20 },
      "c" : { "loop" : 1, "delay" : 30, "run" : 10, "resume" : "a", "run" : 10,
              "resume" : "team" })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-0 40-50 ");
  EXPECT_EQ(play->ran("b-0"), "0-0 50-70 ");
  EXPECT_EQ(play->ran("b-1"), "0-0 50-70 ");
}

TEST(RtAppThread, ABarrierLetsAllGoWhenTheLastHasCome) {
  const auto play = played(R"(
      "a" : { "loop" : 2, "run" : 10, "barrier" : "x", "run" : 10, "barrier" : "y" },
      "b" : { "loop" : 2, "run" : 30, "barrier" : "x", "run" : 10, "barrier" : "y" },
      "c" : { "loop" : 2, "run" : 50, "barrier" : "x", "run" : 40, "barrier" : "y" })",
                           kMs);
  EXPECT_EQ(play->ran("a"), "0-10 50-60 90-100 140-150 180-180 ");
  EXPECT_EQ(play->ran("b"), "0-30 50-60 90-120 140-150 180-180 ");
  EXPECT_EQ(play->ran("c"), "0-180 ");
}

// Since it comes to its CPU before who wakes it has given up the mutex.
TEST(RtAppThread, WhoIsWokenAtOnceMayHaveToWaitForTheMutex) {
  Play play(app(R"(
      "a" : { "loop" : 1, "run" : 10, "barrier" : "x", "run" : 10 },
      "b" : { "loop" : 1, "run" : 50, "barrier" : "x", "run" : 30 })"),
            4, at_no_cost());
  play.run(kMs);
  EXPECT_EQ(play.ran("a"), "0-10 50-50 50-60 ");
  EXPECT_EQ(play.ran("b"), "0-80 ");
}

TEST(RtAppThread, ASemaphoreRemembersPosts) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "sem_post" : "s", "sem_post" : "s", "run" : 200, "sem_post" : "s" },
      "b" : { "loop" : 3, "delay" : 50, "sem_wait" : "s", "run" : 10 })",
                           kMs);
  EXPECT_EQ(play->ran("b"), "0-0 50-70 200-210 ");
}

TEST(RtAppThread, AForkStartsAnotherThread) {
  const auto play = played(R"(
      "a" : { "loop" : 2, "run" : 100, "fork" : "b" },
      "b" : { "instance" : 0, "loop" : 1, "run" : 10,
              "timer" : { "ref" : "unique", "period" : 50 } })",
                           kMs);
  EXPECT_EQ(play->count("b"), 2U);
  EXPECT_EQ(play->ran("b-fork0"), "100-110 150-150 ");
  EXPECT_EQ(play->ran("b-fork1"), "200-210 250-250 ");
  EXPECT_EQ(play->progress("b").missed, 0U);
}

TEST(RtAppThread, ForksAreLimitedAsThoseOfRtApp) {
  const auto play = played(R"("a" : { "fork" : "a", "run" : 100000 })", 10 * kSec, 1);
  EXPECT_LE(play->count("a"), 1025U);
}

TEST(RtAppThread, YieldLetsOthersRun) {
  const auto play = played(R"(
      "a" : { "loop" : 1, "cpus" : [0], "run" : 100, "yield", "run" : 100 },
      "b" : { "loop" : 1, "cpus" : [0], "run" : 50 })",
                           10 * kMs, 1);
  EXPECT_EQ(play->ran("a"), "0-100 150-250 ");
  EXPECT_EQ(play->ran("b"), "100-150 ");
}

TEST(RtAppThread, PhasesMoveToOtherCpusAndBack) {
  const auto play = played(R"("a" : { "loop" : 1, "cpus" : [2], "phases" : {
      "p" : { "cpus" : [0], "run" : 1000, "sleep" : 10 },
      "q" : { "cpus" : [1], "run" : 1000, "sleep" : 10 },
      "r" : { "run" : 1000 } } })",
                           10 * kMs);
  EXPECT_EQ(play->diary().cpus(), "a@0 a@0 a@1 a@1 a@2 ");
  EXPECT_GE(play->task("a").se.sum_exec_runtime, 3'000 * kUs);
  EXPECT_EQ(play->task("a").state, TaskState::kDead);
}

TEST(RtAppThread, PhasesMayChangeThePriority) {
  const auto play = played(R"("a" : { "loop" : 1, "priority" : 4, "phases" : {
      "p" : { "run" : 10 }, "q" : { "priority" : -5, "sleep" : 1000000 } } })",
                           kMs);
  EXPECT_EQ(play->task("a").nice, -5);
}

// In Linux, nice means nothing to SCHED_IDLE.
TEST(RtAppThread, AnIdleTaskStaysIdleWhateverItsPriority) {
  const auto play = played(R"(
      "idle" : { "policy" : "SCHED_IDLE", "phases" : { "p" : { "priority" : 0, "sleep" : 10 } } },
      "back" : { "loop" : 1, "policy" : "SCHED_IDLE", "phases" : {
        "p" : { "policy" : "SCHED_OTHER", "sleep" : 1000000 } } },
      "now" : { "loop" : 1, "priority" : -5, "phases" : {
        "p" : { "policy" : "SCHED_IDLE", "sleep" : 10 },
        "q" : { "priority" : 3, "sleep" : 1000000 } } })",
                           kMs);
  EXPECT_EQ(play->task("idle").scx.weight, 1U);
  EXPECT_EQ(play->task("back").scx.weight, 100U);
  EXPECT_EQ(play->task("now").scx.weight, 1U);
}

TEST(RtAppThread, ALoopInWhichNoTimePassesDoesNotStopTheClock) {
  const auto play = played(R"(
      "a" : { "resume" : "nobody" },
      "b" : { "timer" : { "ref" : "x", "period" : 0 } },
      "c" : { "run" : 0 }, "d" : { "sleep" : 0, "yield" } )",
                           10 * kMs);
  EXPECT_GT(play->progress("a").units, 1000U);
  EXPECT_GT(play->progress("c").units, 1000U);
}

TEST(RtAppThread, ATaskThatSomebodyElseWakesGoesOnWaiting) {
  Play play(app(R"("a" : { "loop" : 1, "suspend", "run" : 10 })"), 1, at_no_cost());
  play.run(kMs);
  play.machine().at(play.machine().now(), [&] {
    for (const auto& task : play.machine().tasks()) play.machine().wake(*task);
  });
  play.run(kMs);
  EXPECT_EQ(play.task("a").state, TaskState::kBlocked);
}

TEST(RtAppCheck, NamesACpuThatTheMachineLacks) {
  const auto workload = app(R"("a" : { "run" : 1 }, "b" : { "phases" : {
      "p" : { "cpus" : [0, 2], "run" : 1 } } })");
  EXPECT_TRUE(workload->check(cpus(3)));
  const auto checked = workload->check(cpus(2));
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message().find("task \"b\": \"cpus\" names CPU 2"), std::string::npos)
      << checked.error().message();
}

}  // namespace
}  // namespace cppland::sim::rtapp
