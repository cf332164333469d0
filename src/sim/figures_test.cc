// SPDX-License-Identifier: GPL-2.0-only
// figures_test.cc - what the recorder makes of what it hears.
#include "sim/figures.h"

#include <gtest/gtest.h>

#include "tests/support/programs.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() {
    task_.pid = 105;
    task_.name = "frame";
    recorder_.begin(machine_.now() - kSec);
  }

  void wakes(std::uint64_t at) {
    task_.state = TaskState::kWaiting;
    task_.woken_at = at;
    recorder_.woke(task_, at);
  }

  void runs(std::uint64_t at) {
    task_.state = TaskState::kRunning;
    recorder_.began(task_, 0, at);
    task_.woken_at = 0;
  }

  ClassFigures finished() {
    RunFigures run;
    recorder_.finish(machine_, run);
    return run.classes.at(0);
  }

  Machine machine_{cpus(1)};
  Log log_;
  Recorder recorder_{&log_};
  Task task_;
  HogProgram program_;
};

TEST_F(RecorderTest, TakesQuantilesOfTheLatencies) {
  recorder_.add(task_, "frame", program_);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    wakes(i * kMs);
    runs(i * kMs + i * 1'000);
  }
  const ClassFigures figures = finished();
  EXPECT_EQ(figures.wakeups, 100U);
  EXPECT_NEAR(figures.p50_us, 50, 0.5);
  EXPECT_NEAR(figures.p99_us, 99, 1);
  EXPECT_DOUBLE_EQ(figures.max_us, 100);
}

TEST_F(RecorderTest, CountsNoTurnThatFollowsNoWakeUp) {
  recorder_.add(task_, "frame", program_);
  wakes(kMs);
  runs(2 * kMs);
  runs(9 * kMs);
  EXPECT_EQ(finished().wakeups, 1U);
}

TEST_F(RecorderTest, CountsWhoStillWaitsAtTheEnd) {
  recorder_.add(task_, "frame", program_);
  wakes(machine_.now() - 300 * kMs);
  const ClassFigures figures = finished();
  EXPECT_EQ(figures.wakeups, 1U);
  EXPECT_DOUBLE_EQ(figures.max_us, 300'000);
}

TEST_F(RecorderTest, CountsNoStartWithAllAsAWakeUp) {
  recorder_.begin(kMs);
  recorder_.add(task_, "frame", program_);
  wakes(kMs);  // and has not run by the end
  EXPECT_EQ(finished().wakeups, 0U);
}

TEST_F(RecorderTest, KnowsATaskThatWokeBeforeItWasTold) {
  wakes(kMs);
  recorder_.add(task_, "", program_);
  runs(3 * kMs);
  const ClassFigures figures = finished();
  EXPECT_EQ(figures.name, "frame");
  EXPECT_EQ(figures.wakeups, 1U);
}

TEST_F(RecorderTest, LeavesOutTasksThatAreNotTheWorkloads) {
  Task agent;
  agent.pid = 100;
  agent.woken_at = kMs;
  recorder_.woke(agent, kMs);
  recorder_.add(task_, "frame", program_);
  recorder_.began(agent, 0, 2 * kMs);
  EXPECT_EQ(finished().wakeups, 0U);
}

TEST_F(RecorderTest, LetsOthersHear) {
  wakes(kMs);
  runs(2 * kMs);
  recorder_.ended(task_, 0, 3 * kMs);
  EXPECT_EQ(log_.text, "w105@-1:1000000\nb105@0:2000000\ne105@0:3000000\n");
  EXPECT_EQ(log_.waits.size(), 1U);
}

}  // namespace
}  // namespace cppland::sim
