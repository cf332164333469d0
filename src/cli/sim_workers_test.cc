// SPDX-License-Identifier: GPL-2.0-only
// sim_workers_test.cc - runs in several processes come to what they come to in one.
#include "cli/sim_workers.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <set>

namespace cppland::cli {
namespace {

// What a run comes to is its number, and who did it.
Result<sim::RunFigures> numbered(std::size_t number, const sim::GoOn& go_on) {
  go_on(0.5);
  return sim::RunFigures{.policy = "p",
                         .seed = number,
                         .classes = {{.name = "c", .units = 10 * number}},
                         .throughput = 1.0 / static_cast<double>(number + 3),
                         .events = static_cast<std::uint64_t>(::getpid())};
}

bool go_on(std::size_t /*number*/, double /*done*/) { return true; }

TEST(SimWorkers, ReturnAllRunsInTheirOrder) {
  for (const std::size_t workers : {1U, 2U, 3U, 7U}) {
    const auto runs = run_in_workers(7, workers, numbered, go_on);
    ASSERT_TRUE(runs);
    ASSERT_EQ(runs->size(), 7U);
    std::set<std::uint64_t> processes;
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ((*runs)[i].seed, i);
      EXPECT_EQ((*runs)[i].classes.at(0).units, 10 * i);
      EXPECT_EQ((*runs)[i].throughput, 1.0 / static_cast<double>(i + 3));
      processes.insert((*runs)[i].events);
    }
    EXPECT_EQ(processes.size(), workers);
    EXPECT_FALSE(processes.contains(static_cast<std::uint64_t>(::getpid())));
  }
}

TEST(SimWorkers, TellHowFarTheyAre) {
  std::vector<double> told;
  ASSERT_TRUE(run_in_workers(4, 2, numbered, [&](std::size_t number, double done) {
    EXPECT_LT(number, 4U);
    told.push_back(done);
    return true;
  }));
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), 1);
}

TEST(SimWorkers, PassOnWhatWentWrong) {
  const auto runs = run_in_workers(
      3, 2,
      [](std::size_t number, const sim::GoOn& each) -> Result<sim::RunFigures> {
        if (number == 1) return error(ENOENT, "open the file {}", "f.json");
        return numbered(number, each);
      },
      go_on);
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().code(), ENOENT);
  EXPECT_EQ(runs.error().tried(), "open the file f.json");
}

TEST(SimWorkers, NoticeThatOneIsGone) {
  const auto runs = run_in_workers(
      2, 2,
      [](std::size_t number, const sim::GoOn& each) -> Result<sim::RunFigures> {
        if (number == 1) std::raise(SIGKILL);
        return numbered(number, each);
      },
      go_on);
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().code(), EPIPE);
}

// Which cannot end them then.
TEST(SimWorkers, EndWithTheProcessThatStartedThem) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t starter = ::fork();
  ASSERT_GE(starter, 0);
  if (starter == 0) {
    const auto runs = run_in_workers(
        2, 2,
        [&](std::size_t /*number*/, const sim::GoOn& /*each*/) -> Result<sim::RunFigures> {
          if (::write(ends[1], "x", 1) != 1) ::_exit(1);
          for (;;) ::pause();
        },
        go_on);
    ::_exit(runs ? 0 : 1);
  }
  ::close(ends[1]);
  std::array<char, 2> said{};
  for (char& each : said) ASSERT_EQ(::read(ends[0], &each, 1), 1);
  ::kill(starter, SIGKILL);
  ::waitpid(starter, nullptr, 0);
  pollfd end{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 10'000), 1);  // nobody holds the other end any more
  ::close(ends[0]);
}

TEST(SimWorkers, EndWhenToldSo) {
  const auto runs = run_in_workers(
      2, 2,
      [](std::size_t /*number*/, const sim::GoOn& each) -> Result<sim::RunFigures> {
        for (;;) each(0.1);
      },
      [](std::size_t /*number*/, double /*done*/) { return false; });
  ASSERT_FALSE(runs);
  EXPECT_EQ(runs.error().code(), ECANCELED);
}

}  // namespace
}  // namespace cppland::cli
