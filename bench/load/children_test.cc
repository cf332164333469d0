// SPDX-License-Identifier: GPL-2.0-only
// children_test.cc - the processes beside the measured tasks do their work, and none is left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "background.h"
#include "base/clock.h"
#include "hogs.h"
#include "process_tree.h"

namespace cppland::load {
namespace {

std::vector<Process> our_children() { return descendants(read_processes(), getpid()); }

// Waits for CONDITION, at most ten seconds.
template <typename Condition>
bool soon(Condition condition) {
  const Nanos deadline = monotonic_now() + 10 * kSecond;
  while (!condition()) {
    if (monotonic_now() > deadline) {
      return false;
    }
    usleep(1000);
  }
  return true;
}

TEST(Hogs, WorkOnlyWhenReleased) {
  auto hogs = Hogs::start(std::array{0, 5}, false);
  ASSERT_TRUE(hogs) << hogs.error().message();
  usleep(20'000);
  EXPECT_EQ(hogs->usage()[0].units, 0U);
  hogs->release();
  EXPECT_TRUE(soon([&] { return hogs->usage()[0].units > 5 && hogs->usage()[1].units > 5; }));
  EXPECT_GT(hogs->usage()[1].cpu, 0U);
}

TEST(Hogs, EndWithTheirOwner) {
  {
    auto hogs = Hogs::start(std::array{0, 0, 0}, false);
    ASSERT_TRUE(hogs);
    hogs->release();
    EXPECT_EQ(our_children().size(), 3U);
  }
  EXPECT_TRUE(our_children().empty());
}

// Nothing else than that clock may tell of it: one that gets no CPU does no unit.
TEST(Hogs, OneThatDoesNotRunIsInALongUnit) {
  auto hogs = Hogs::start(std::array{0}, true);
  ASSERT_TRUE(hogs);
  hogs->release();
  ASSERT_TRUE(soon([&] { return hogs->usage()[0].units > 0; }));
  kill(our_children()[0].pid, SIGSTOP);
  usleep(20'000);
  EXPECT_GE(hogs->usage()[0].longest_unit, 10 * kMillisecond);
}

TEST(Hogs, NoneIsNothing) {
  const auto hogs = Hogs::start({}, false);
  ASSERT_TRUE(hogs);
  EXPECT_TRUE(hogs->usage().empty());
}

TEST(Background, RunsAgainAndCounts) {
  auto background = Background::start("printf .. >>\"$CPPLAND_LOAD_JOBS\"");
  ASSERT_TRUE(background) << background.error().message();
  usleep(20'000);
  EXPECT_EQ(background->usage().runs, 0U);
  background->release();
  EXPECT_TRUE(soon([&] { return background->usage().runs > 3; }));
  EXPECT_GT(background->usage().jobs, 6U);
  EXPECT_EQ(background->usage().failed, 0U);
}

TEST(Background, FailuresAreCountedApart) {
  auto background = Background::start("exit 3");
  ASSERT_TRUE(background);
  background->release();
  EXPECT_TRUE(soon([&] { return background->usage().failed > 1; }));
  EXPECT_EQ(background->usage().runs, 0U);
}

TEST(Background, CountsTheTimeOfAllThatItStarted) {
  auto background = Background::start("sh -c 'while :; do :; done' & wait");
  ASSERT_TRUE(background);
  background->release();
  EXPECT_TRUE(soon([&] { return background->usage().cpu_seconds > 0.05; }));
}

TEST(Background, NothingOutlivesItNotEvenWhatHides) {
  std::vector<Process> started;
  {
    auto background = Background::start(
        "(trap '' TERM INT HUP; setsid sleep 1000 & setsid sleep 1000 & sleep 1000)");
    ASSERT_TRUE(background);
    background->release();
    // The supervisor, a shell or two, three times sleep.
    ASSERT_TRUE(soon([&] { return (started = our_children()).size() >= 5; }));
  }
  for (const Process& process : started) {
    EXPECT_EQ(kill(process.pid, 0), -1) << process.pid;
    EXPECT_EQ(errno, ESRCH);
  }
}

TEST(Background, NoCommandIsNothing) {
  auto background = Background::start("");
  ASSERT_TRUE(background);
  background->release();
  EXPECT_EQ(background->usage().runs, 0U);
}

}  // namespace
}  // namespace cppland::load
