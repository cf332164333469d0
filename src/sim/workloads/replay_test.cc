// SPDX-License-Identifier: GPL-2.0-only
// replay_test.cc - a recording's threads do again what they did.
#include "sim/workloads/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "tests/support/play.h"

namespace cppland::sim::perf {
namespace {

using namespace cppland::sim::testing;  // NOLINT(google-build-using-namespace): these tests' words
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kTwo =
    "x 1 [0] 1.000010: sched_switch: i:0 [120] R ==> a:1 [115]\n"
    "x 1 [0] 1.000030: sched_switch: a:1 [115] S ==> i:0 [120]\n"
    "x 1 [0] 1.000040: sched_process_fork: comm=a pid=1 child_comm=a child_pid=2\n"
    "x 1 [0] 1.000060: sched_switch: i:0 [120] R ==> b:2 [50]\n"
    "x 1 [0] 1.000065: sched_switch: b:2 [50] X ==> i:0 [120]\n"
    "x 1 [0] 1.000070: sched_wakeup: a:1 [115] CPU:0\n"
    "x 1 [0] 1.000080: sched_switch: i:0 [120] R ==> a:1 [115]\n"
    "x 1 [0] 1.000090: sched_switch: a:1 [115] S ==> i:0 [120]\n";

std::unique_ptr<Workload> loaded(std::string_view text) {
  auto workload = load(text);
  EXPECT_TRUE(workload) << workload.error().message();
  return std::move(*workload);
}

TEST(Replay, RunsAndSleepsAsRecorded) {
  Play play(loaded(kTwo), 2, at_no_cost());
  EXPECT_EQ(play.started().size(), 1U);
  play.run(kMs);
  EXPECT_EQ(play.ran("a-1"), "0-20 60-70 ");
  EXPECT_EQ(play.ran("b-2"), "30-35 ");
  EXPECT_EQ(play.task("a-1").nice, -5);
  EXPECT_EQ(play.task("b-2").nice, -20);
  EXPECT_EQ(play.task("a-1").state, TaskState::kDead);
  EXPECT_EQ(play.progress("a").units, 2U);
}

TEST(Replay, WhoHasToWaitSleepsAsLongAsBefore) {
  Play play(loaded(kTwo), 1, at_no_cost());
  class Busy : public Behaviour {
   public:
    Step next(Machine& machine, Task&) override {
      return machine.now() < 1'000'300'000 ? Step{Step::Kind::kRun, 1'000'300'000 - machine.now()}
                                           : Step{Step::Kind::kExit, 0};
    }
  };
  play.machine().start({.name = "busy", .nice = -20, .behaviour = std::make_unique<Busy>()});
  play.run(100 * kMs);
  EXPECT_EQ(play.task("a-1").state, TaskState::kDead);
  EXPECT_EQ(play.task("a-1").se.sum_exec_runtime / 1000, 30U);
}

TEST(Replay, TellsItsLengthAndWhatItDoesNotSay) {
  EXPECT_EQ(loaded(kTwo)->duration(), 80'000U);
  EXPECT_THAT(loaded(kTwo)->notes(), ElementsAre(HasSubstr("1 real-time threads")));
  EXPECT_THAT(loaded("bad\nx 1 [0] 1.1: sched_switch: i:0 [120] R ==> a:1 [120]\n"
                     "x 1 [0] 1.2: sched_switch: a:1 [120] S ==> i:0 [120]\n")
                  ->notes(),
              ElementsAre(HasSubstr("1 of 3 lines"), HasSubstr("no line tells of a wake-up")));
  EXPECT_THAT(loaded("x 1 [0] 1.1: sched_switch: i:0 [120] R ==> a:1 [120]\n"
                     "x 1 [0] 1.1: PERF_RECORD_LOST lost 12\n"
                     "x 1 [0] 1.1: sched_wakeup: b:2 [120] CPU:0\n"
                     "x 1 [0] 1.2: sched_switch: b:2 [120] S ==> a:1 [120]\n"
                     "x 1 [0] 1.3: sched_switch: a:1 [120] S ==> i:0 [120]\n")
                  ->notes(),
              ElementsAre(HasSubstr("1 lines tell of events that perf has lost, the first is line "
                                    "2"),
                          HasSubstr("before 1 of 3 switches, others are missing, first before line "
                                    "4")));
}

TEST(Replay, ThreadsOfOneKindAreOneGroup) {
  EXPECT_EQ(group_of("worker-12"), "worker");
  EXPECT_EQ(group_of("kworker/0:1-events"), "kworker");
  EXPECT_EQ(group_of("Web Content"), "Web Content");
  EXPECT_EQ(group_of("pool 3"), "pool");
  EXPECT_EQ(group_of("42"), "42");
  EXPECT_EQ(group_of(""), "");
}

TEST(Replay, PlaysAWholeRecording) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const std::string folder = std::getenv("CPPLAND_TEST_DATA");
  const auto text = read_file(folder + "/perf/sched-script.txt");
  ASSERT_TRUE(text);
  Play play(loaded(*text), 2);
  play.run(kSec);
  EXPECT_EQ(play.machine().exit().kind, Exit::kNone);
  EXPECT_EQ(play.started().size(), 6U);
  for (const Play::Started& each : play.started())
    EXPECT_EQ(each.task->state, TaskState::kDead) << each.task->name;
  EXPECT_THAT(loaded(kTwo)->notes(), ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace cppland::sim::perf
