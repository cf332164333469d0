// SPDX-License-Identifier: GPL-2.0-only
// rtapp_plan_test.cc - what is read out of rt-app's files, and what is refused, with line and key.
#include "sim/workloads/rtapp_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cppland::sim::rtapp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan plan_of(std::string_view text) {
  auto plan = parse_plan(text);
  EXPECT_TRUE(plan) << plan.error().message();
  return plan ? *plan : Plan{};
}

// What is wrong with a file; with one whose only task has these members; with its "global".
std::string message(std::string_view text) {
  const auto plan = parse_plan(text);
  EXPECT_FALSE(plan) << text;
  return plan ? "" : plan.error().message();
}
std::string of_task(std::string_view members) {
  return message(fmt::format("{{\n\"tasks\" : {{ \"t\" : {{\n{} }} }} }}", members));
}
std::string of_global(std::string_view members) {
  return message(fmt::format(
      "{{ \"tasks\" : {{ \"t\" : {{ \"run\" : 1 }} }},\n\"global\" : {{ {} }} }}", members));
}

std::vector<Op::Kind> kinds(const Phase& phase) {
  std::vector<Op::Kind> kinds;
  kinds.reserve(phase.ops.size());
  for (const Op& op : phase.ops) kinds.push_back(op.kind);
  return kinds;
}

TEST(RtAppPlan, WithoutPhasesTheTasksLoopIsTheWholes) {
  const Plan plan = plan_of(R"({ "tasks" : {
    "a" : { "loop" : 3, "run" : 5 },
    "b" : { "run" : 5 },
    "c" : { "loop" : -1, "run" : 5 } } })");
  ASSERT_EQ(plan.tasks.size(), 3U);
  EXPECT_EQ(plan.tasks[0].loops, 3U);
  EXPECT_EQ(plan.tasks[0].phases[0].loops, 1U);
  EXPECT_EQ(plan.tasks[1].loops, kForEver);
  EXPECT_EQ(plan.tasks[2].loops, kForEver);
}

TEST(RtAppPlan, PhasesHaveLoopsAndPropertiesOfTheirOwn) {
  const Plan plan = plan_of(R"({ "tasks" : { "a" : {
    "priority" : -3, "cpus" : [0, 2], "delay" : 7, "instance" : 4,
    "phases" : {
      "one" : { "run" : 1 },
      "two" : { "loop" : 9, "priority" : 5, "cpus" : [1], "run" : 1 },
      "two" : { "policy" : "SCHED_IDLE", "run" : 1 } } } } })");
  const TaskPlan& task = plan.tasks.at(0);
  EXPECT_EQ(task.nice, -3);
  EXPECT_EQ(task.cpus.to_string(), "0,2");
  EXPECT_EQ(task.delay, 7'000U);
  EXPECT_EQ(task.instances, 4U);
  EXPECT_EQ(task.loops, kForEver);
  ASSERT_EQ(task.phases.size(), 3U);
  EXPECT_EQ(task.phases[0].loops, 1U);
  EXPECT_FALSE(task.phases[0].nice);
  EXPECT_EQ(task.phases[1].loops, 9U);
  EXPECT_EQ(task.phases[1].nice, 5);
  EXPECT_EQ(task.phases[1].cpus.to_string(), "1");
  EXPECT_FALSE(task.phases[1].idle);
  EXPECT_EQ(task.phases[2].idle, true);
}

TEST(RtAppPlan, EventsAreToldByTheBeginningOfTheirKeys) {
  using enum Op::Kind;
  const Plan plan = plan_of(R"({ "tasks" : { "a" : {
    "run0" : 1, "runtime-x" : 2, "sleep" : 3, "sleep" : 4, "yield", "lockA" : "m",
    "unlock" : "m", "signal" : "c", "broad" : "c", "sem_post" : "s", "sem_wait1" : "s" } } })");
  const Phase& phase = plan.tasks.at(0).phases.at(0);
  EXPECT_THAT(kinds(phase), ElementsAre(kRun, kRuntime, kSleep, kSleep, kYield, kLock, kUnlock,
                                        kSignal, kBroadcast, kPost, kTake));
  EXPECT_EQ(phase.ops[1].ns, 2'000U);
  EXPECT_EQ(phase.ops[3].ns, 4'000U);
}

TEST(RtAppPlan, SuspendWithoutAValueIsTheTasksOwn) {
  using enum Op::Kind;
  const Plan plan = plan_of(R"({ "tasks" : {
    "a" : { "suspend", "run" : 1 },
    "b" : { "resume" : "a", "wait" : { "ref" : "a", "mutex" : "m" } },
    "c" : { "suspend" : "", "sync" : { "ref" : "c", "mutex" : "c" } } } })");
  const Phase& a = plan.tasks.at(0).phases.at(0);
  const Phase& b = plan.tasks.at(1).phases.at(0);
  const Phase& c = plan.tasks.at(2).phases.at(0);
  EXPECT_THAT(kinds(a), ElementsAre(kLock, kWait, kLock, kUnlock, kRun));
  EXPECT_THAT(kinds(b), ElementsAre(kLock, kBroadcast, kUnlock, kWait, kLock));
  EXPECT_THAT(kinds(c), ElementsAre(kLock, kWait, kLock, kUnlock, kSignal, kWait, kLock));
  EXPECT_EQ(a.ops[1].which, b.ops[1].which);
  EXPECT_EQ(a.ops[1].which, b.ops[3].which);
  EXPECT_EQ(a.ops[0].which, b.ops[0].which);
  EXPECT_NE(b.ops[3].mutex, b.ops[0].which);
  EXPECT_EQ(c.ops[1].which, c.ops[5].which);
  EXPECT_NE(c.ops[1].which, a.ops[1].which);
}

TEST(RtAppPlan, UniqueTimersAreTheTasksOwnOthersAreShared) {
  const Plan plan = plan_of(R"({ "tasks" : {
    "a" : { "phases" : {
      "p" : { "timer" : { "ref" : "unique", "period" : 10 } },
      "q" : { "timer" : { "ref" : "unique", "period" : 20, "mode" : "absolute" } },
      "r" : { "timer" : { "ref" : "uniqueB", "period" : 30 } } } },
    "b" : { "timer0" : { "ref" : "unique", "period" : 10 },
            "timer1" : { "ref" : "tick", "period" : 10, "mode" : "relative" } },
    "c" : { "timer" : { "ref" : "tick", "period" : 5 }, "timer" : { "period" : 6 } } } })");
  EXPECT_THAT(plan.tasks[0].own_timers, ElementsAre(true, false));
  EXPECT_THAT(plan.tasks[1].own_timers, ElementsAre(false));
  EXPECT_THAT(plan.timers, ElementsAre(false, false));
  EXPECT_EQ(plan.tasks[1].phases[0].ops[1].which, plan.tasks[2].phases[0].ops[0].which);
  EXPECT_EQ(plan.tasks[1].phases[0].ops[1].kind, Op::Kind::kTimer);
}

TEST(RtAppPlan, ABarrierCountsInstances) {
  const Plan plan = plan_of(R"({ "tasks" : {
    "a" : { "instance" : 3, "barrier" : "x" },
    "b" : { "barrier" : "x", "barrier" : "y" } } })");
  EXPECT_THAT(plan.barriers, ElementsAre(4U, 1U));
}

TEST(RtAppPlan, GlobalKeysMayComeLast) {
  const Plan plan = plan_of(R"({ "tasks" : { "a" : { "run" : 1 }, "b" : { "policy" : "SCHED_OTHER",
    "run" : 1 } },
    "resources" : { "m" : { "type" : "mutex" } },
    "global" : { "duration" : 2, "default_policy" : "SCHED_IDLE", "calibration" : "CPU0",
      "pi_enabled" : false, "lock_pages" : true, "logdir" : "./", "log_size" : "file",
      "log_basename" : "x", "ftrace" : "none", "gnuplot" : true, "frag" : 1,
      "cumulative_slack" : true, } })");
  EXPECT_EQ(plan.duration, 2'000'000'000U);
  EXPECT_TRUE(plan.tasks[0].idle);
  EXPECT_FALSE(plan.tasks[1].idle);
  EXPECT_EQ(plan_of(R"({"tasks":{"a":{"run":1}},"global":{"duration":-1}})").duration, 0U);
}

TEST(RtAppPlan, BytesBecomeTime) {
  const Plan work = plan_of(R"({ "tasks" : { "a" : { "mem" : 1000000, "iorun" : 3000 } },
    "global" : { "mem_buffer_size" : 1000 } })");
  EXPECT_EQ(work.tasks[0].phases[0].ops[0].kind, Op::Kind::kRun);
  EXPECT_EQ(work.tasks[0].phases[0].ops[0].ns, 100'000U);
  EXPECT_EQ(work.tasks[0].phases[0].ops[1].kind, Op::Kind::kRun);
  EXPECT_EQ(work.tasks[0].phases[0].ops[1].ns, 3'000U);
  EXPECT_EQ(work.notes.size(), 2U);
  const Plan sleep = plan_of(R"({ "tasks" : { "a" : { "iorun" : 3000, "iorun" : 1 } },
    "global" : { "io_device" : "/tmp/x" } })");
  EXPECT_EQ(sleep.tasks[0].phases[0].ops[0].kind, Op::Kind::kSleep);
  EXPECT_EQ(sleep.tasks[0].phases[0].ops[0].ns, 15'000U);
  EXPECT_EQ(sleep.notes.size(), 1U);
}

TEST(RtAppPlan, RefusesWhatTheModelLacksAndSaysWhy) {
  for (const std::string policy : {"SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE"}) {
    EXPECT_THAT(
        of_task("\"policy\" : \"" + policy + "\", \"run\" : 1"),
        AllOf(HasSubstr("line 3: key \"policy\""), HasSubstr(policy + " is not supported")));
    EXPECT_THAT(of_global("\"default_policy\" : \"" + policy + "\""),
                AllOf(HasSubstr("line 2: key \"default_policy\""), HasSubstr("is not supported")));
  }
  for (const std::string key : {"taskgroup", "util_min", "util_max", "nodes_membind", "dl-runtime",
                                "dl-period", "dl-deadline", "period", "deadline", "memrun",
                                "memrun1", "exec", "lock_order", "resources"}) {
    EXPECT_THAT(of_task("\"run\" : 1,\n\"" + key + "\" : 1"),
                AllOf(HasSubstr("line 4: key \"" + key + "\""), HasSubstr("is not supported: ")));
  }
  EXPECT_THAT(message(R"({ "tasks" : { "a" : { "run" : 1 } }, "resources" : {
      "x" : { "type" : "signal", "target" : "y" } } })"),
              HasSubstr("line 2: key \"target\": is not supported"));
}

TEST(RtAppPlan, RefusesATaskWithoutAName) {
  EXPECT_THAT(message("{ \"tasks\" : {\n\"\" : { \"run\" : 1 } } }"),
              HasSubstr("line 2: key \"\": a task needs a name"));
}

TEST(RtAppPlan, RefusesKeysThatItDoesNotKnow) {
  EXPECT_THAT(of_task("\"run\" : 1, \"colour\" : 1"), HasSubstr("line 3: key \"colour\""));
  EXPECT_THAT(of_task("\"phases\" : { \"p\" : { \"instance\" : 1, \"run\" : 1 } }"),
              HasSubstr("key \"instance\""));
  EXPECT_THAT(of_global("\"colour\" : 1"), HasSubstr("line 2: key \"colour\""));
  EXPECT_THAT(message(R"({ "jobs" : {} })"), HasSubstr("key \"jobs\": is unknown"));
  EXPECT_THAT(of_task("\"timer\" : { \"ref\" : \"x\", \"period\" : 1, \"phase\" : 2 }"),
              HasSubstr("key \"phase\": \"timer\" has no such key"));
  EXPECT_THAT(message(R"({"tasks":{"a":{"run":1}},"resources":{"x":{"type":"sort"}}})"),
              HasSubstr("\"sort\" is no type"));
  EXPECT_THAT(message(R"({"tasks":{"a":{"run":1}},"resources":{"x":{"sort":"mutex"}}})"),
              HasSubstr("key \"sort\""));
}

TEST(RtAppPlan, RefusesValuesOfTheWrongKindOrSize) {
  EXPECT_THAT(of_task("\"run\" : \"1\""), HasSubstr("line 3: key \"run\": takes a whole number, "
                                                    "not a string"));
  EXPECT_THAT(of_task("\"run\" : 1.5"), HasSubstr("takes a whole number"));
  EXPECT_THAT(of_task("\"run\" : -1"), HasSubstr("takes a number from 0"));
  EXPECT_THAT(of_task("\"sleep\""), HasSubstr("takes a whole number, not nothing"));
  EXPECT_THAT(of_task("\"run\" : 1, \"loop\" : 0"), HasSubstr("takes -1 (for ever)"));
  EXPECT_THAT(of_task("\"run\" : 1, \"priority\" : 20"), HasSubstr("from -20 to 19, not 20"));
  EXPECT_THAT(of_task("\"run\" : 1, \"cpus\" : []"), HasSubstr("names no CPU"));
  EXPECT_THAT(of_task("\"run\" : 1, \"cpus\" : [-1]"), HasSubstr("takes numbers of CPUs"));
  EXPECT_THAT(of_task("\"run\" : 1, \"cpus\" : 1"), HasSubstr("takes an array"));
  EXPECT_THAT(of_task("\"run\" : 1, \"instance\" : -1"), HasSubstr("key \"instance\""));
  EXPECT_THAT(of_task("\"run\" : 1, \"policy\" : \"SCHED_X\""), HasSubstr("is no policy"));
  EXPECT_THAT(of_task("\"lock\" : 1"), HasSubstr("takes a string"));
  EXPECT_THAT(of_task("\"wait\" : { \"ref\" : \"x\" }"), HasSubstr("lacks \"mutex\""));
  EXPECT_THAT(of_task("\"timer\" : { \"ref\" : \"x\" }"), HasSubstr("lacks \"period\""));
  EXPECT_THAT(of_task("\"timer\" : { \"mode\" : \"late\", \"period\" : 1 }"),
              HasSubstr("not \"late\""));
  EXPECT_THAT(of_task("\"fork\" : \"u\""), HasSubstr("there is no task \"u\""));
  EXPECT_THAT(of_global("\"ftrace\" : 1"), HasSubstr("key \"ftrace\": takes true or false"));
}

TEST(RtAppPlan, RefusesWhatWouldBePassedOverSilently) {
  EXPECT_THAT(of_task("\"run\" : 1, \"loop\" : 1,\n\"loop\" : 2"),
              HasSubstr("line 4: key \"loop\": is there twice (first in line 3)"));
  EXPECT_THAT(of_task("\"sleep\" : 1, \"phases\" : { \"p\" : { \"run\" : 1 } }"),
              HasSubstr("key \"sleep\": stands beside \"phases\""));
  EXPECT_THAT(of_task(""), HasSubstr("key \"t\": has no events"));
  EXPECT_THAT(of_task("\"phases\" : {}"), HasSubstr("has no phase"));
  EXPECT_THAT(message(R"({ "tasks" : {} })"), HasSubstr("has no task"));
  EXPECT_THAT(message(R"({ "global" : {} })"), HasSubstr("the file has no \"tasks\""));
  EXPECT_THAT(message("[]"), HasSubstr("the file is an array"));
}

}  // namespace
}  // namespace cppland::sim::rtapp
