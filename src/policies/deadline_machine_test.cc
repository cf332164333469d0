// SPDX-License-Identifier: GPL-2.0-only
// deadline_machine_test.cc - what the deadline policy's arithmetic comes to on a machine: shares,
// waiting times, and what preempting tasks take from the others.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "policies/deadline.h"
#include "tests/support/model_machine.h"

namespace cppland::policies {
namespace {

using ::cppland::testing::Behaviour;
using ::cppland::testing::change_at;
using ::cppland::testing::hog;
using ::cppland::testing::kMs;
using ::cppland::testing::kSec;
using ::cppland::testing::kUs;
using ::cppland::testing::periodic;
using ::cppland::testing::Step;

constexpr std::uint64_t kSlice = 20 * kMs;

// What the kernel makes of nice values: 1024 is nice 0 there, and 100 here.
constexpr std::uint32_t kNiceMinus10 = 932;
constexpr std::uint32_t kNice0 = 100;
constexpr std::uint32_t kNice10 = 11;

class Machine : public cppland::testing::ModelMachine<Deadline> {
 public:
  explicit Machine(std::uint32_t nr_cpus)
      : ModelMachine({.slice_ns = kSlice, .slice_min_ns = kMs, .nr_cpus = nr_cpus}, nr_cpus) {}

  void add_hogs(std::size_t count, std::uint32_t weight = kNice0) {
    for (std::size_t i = 0; i < count; ++i) {
      add(weight, hog());
    }
  }

  // Tasks that need @run_ns each, all together @percent of one CPU, one after the other.
  void add_periodic(std::size_t count, std::uint64_t run_ns, std::uint64_t percent) {
    const std::uint64_t period = run_ns * count * 100 / percent;
    for (std::size_t i = 0; i < count; ++i) {
      add(kNice0, periodic(period, run_ns, i * period / count));
    }
  }

  [[nodiscard]] std::uint64_t longest_wait_of_all() const {
    std::uint64_t longest = 0;
    for (std::size_t i = 0; i < tasks().size(); ++i) {
      longest = std::max(longest, longest_wait(i));
    }
    return longest;
  }

  // CPU time that all tasks used from a preempting wake-up on.
  [[nodiscard]] std::uint64_t on_credit() const {
    return std::accumulate(tasks().begin(), tasks().end(), std::uint64_t{0},
                           [](std::uint64_t sum, const ModelTask& t) { return sum + t.on_credit; });
  }
};

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

// --- shares ---

TEST(DeadlineShares, GoToHogsByWeight) {
  for (const std::uint32_t cpus : {1U, 2U, 4U}) {
    Machine machine(cpus);
    machine.add_hogs(cpus, kNiceMinus10);
    machine.add_hogs(cpus, kNice0);
    machine.add_hogs(cpus, kNice10);
    machine.run(20 * kSec);
    for (const auto& task : machine.tasks()) {
      const double fair = 20.0 * task.weight / (kNiceMinus10 + kNice0 + kNice10);
      EXPECT_NEAR(seconds(task.total), fair, 0.05 * fair)
          << cpus << " CPUs, weight " << task.weight;
    }
  }
}

TEST(DeadlineShares, AreEqualForEqualHogsThatDoNotDivideEvenly) {
  Machine machine(2);
  machine.add_hogs(3);
  machine.run(10 * kSec);
  for (const auto& task : machine.tasks()) {
    EXPECT_NEAR(seconds(task.total), 20.0 / 3, 0.05) << task.tid;
  }
}

TEST(DeadlineShares, StayByWeightBesideTasksThatWakeOften) {
  Machine machine(1);
  machine.add_hogs(1, kNiceMinus10);
  machine.add_hogs(1, kNice0);
  machine.add_periodic(5, kMs, 20);
  machine.run(20 * kSec);
  const double heavy = seconds(machine.task(0).total);
  const double light = seconds(machine.task(1).total);
  EXPECT_NEAR(heavy / light, 9.32, 0.05 * 9.32);
}

TEST(DeadlineShares, DoNotDependOnWhoArrivesFirstWhenAllIsEqual) {
  Machine machine(1);
  machine.add_hogs(7);
  machine.run(7 * kSec);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(machine.task(i).total, kSec) << i;
    EXPECT_LE(machine.longest_wait(i), 7 * kMs) << i;
  }
}

TEST(DeadlineShares, LeaveNoCpuIdleThatSomebodyWants) {
  Machine machine(4);
  machine.add_hogs(3);
  machine.add_periodic(30, 700 * kUs, 300);
  machine.run(5 * kSec);
  std::uint64_t used = 0;
  for (const auto& task : machine.tasks()) {
    used += task.total;
  }
  EXPECT_GE(used, 4 * 5 * kSec * 999 / 1000);
}

// --- latency ---

TEST(DeadlineLatency, IsShortForATaskThatUsesLessThanItsShare) {
  for (const std::uint32_t cpus : {1U, 4U}) {
    Machine machine(cpus);
    machine.add_hogs(4 * cpus);
    const std::size_t sixty_hz = machine.add(kNice0, periodic(16'667 * kUs, 2 * kMs));
    machine.run(10 * kSec);
    EXPECT_LE(machine.longest_wait(sixty_hz), kMs) << cpus << " CPUs";
    EXPECT_NEAR(seconds(machine.task(sixty_hz).total), 1.2, 0.01) << cpus << " CPUs";
    EXPECT_GE(machine.task(sixty_hz).preemptions, machine.task(sixty_hz).wake_ups * 9 / 10);
  }
}

TEST(DeadlineLatency, IsShortForManyThatTogetherUseLessThanTheirShare) {
  Machine machine(4);
  machine.add_hogs(16);
  machine.add_periodic(20, kMs, 100);
  machine.run(5 * kSec);
  for (std::size_t i = 16; i < 36; ++i) {
    EXPECT_LE(machine.longest_wait(i), 4 * kMs) << i;
  }
}

// --- starvation ---

// In every window of one second, once the hogs have drifted back by their slice: that alone takes
// as long as all others need to use up one slice each.
void expect_half_of_the_fair_share(const Machine& machine, std::size_t hogs, std::uint32_t cpus,
                                   const std::string& what) {
  const std::uint64_t fair = kSec * cpus / machine.tasks().size();
  for (std::size_t i = 0; i < hogs; ++i) {
    EXPECT_GE(machine.least_in_window(i, kSec, 2 * kSec), fair / 2) << what << ", hog " << i;
  }
}

TEST(DeadlineStarvation, DoesNotComeFromFiftyTasksThatWantTwiceTheMachine) {
  for (const std::uint32_t cpus : {1U, 2U, 4U}) {
    for (const std::uint64_t run : {40 * kUs, 200 * kUs, 500 * kUs, 900 * kUs, kMs, 2 * kMs}) {
      for (const std::size_t hogs : {std::size_t{1}, std::size_t{2} * cpus}) {
        Machine machine(cpus);
        machine.add_hogs(hogs);
        machine.add_periodic(50, run, std::uint64_t{200} * cpus);
        machine.run(5 * kSec);
        const std::string what = std::to_string(cpus) + " CPUs, " + std::to_string(hogs) +
                                 " hogs, bursts of " + std::to_string(run / kUs) + " us";
        expect_half_of_the_fair_share(machine, hogs, cpus, what);
        EXPECT_LE(machine.longest_wait_of_all(), 250 * kMs) << what;
      }
    }
  }
}

// The worst that a search found: while few wait at a time, each of many sleepers is due so much
// that together they would take the whole machine.
TEST(DeadlineStarvation, DoesNotComeFromManyWhoseBurstsAreAlmostASlice) {
  struct Case {
    std::uint32_t cpus;
    std::size_t hogs;
    std::size_t others;
    std::uint64_t run_us;
    std::uint64_t percent;
  };
  for (const Case& c :
       {Case{8, 14, 102, 900, 1240}, Case{8, 12, 75, 864, 1184}, Case{8, 12, 106, 949, 1456},
        Case{4, 3, 40, 943, 652}, Case{4, 4, 89, 905, 780}}) {
    Machine machine(c.cpus);
    machine.add_hogs(c.hogs);
    machine.add_periodic(c.others, c.run_us * kUs, c.percent);
    machine.run(5 * kSec);
    const std::string what =
        std::to_string(c.hogs) + " hogs, " + std::to_string(c.others) + " others";
    expect_half_of_the_fair_share(machine, c.hogs, c.cpus, what);
    EXPECT_LE(machine.longest_wait_of_all(), 250 * kMs) << what;
  }
}

// Many wake at once, after a sleep in which they fell a slice behind: each may use up that slice,
// and the one by which a hog drifts back, before the hog. That is the price of one slice of credit.
TEST(DeadlineStarvation, LastsAtMostTwoSlicesOfEachWhoComesBackFromSleep) {
  constexpr std::uint64_t kSleepers = 20;
  const auto wakes_for_long = [](std::uint64_t now) {
    return Step{(now / (2 * kSec) + 1) * 2 * kSec, 300 * kMs};
  };
  Machine machine(1);
  machine.add_hogs(2);
  for (std::uint64_t i = 0; i < kSleepers; ++i) {
    machine.add(kNice0, wakes_for_long);
  }
  machine.run(20 * kSec);
  EXPECT_LE(machine.longest_wait_of_all(), kSleepers * 2 * kSlice + 22 * kMs);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_GE(machine.task(i).total, 20 * kSec / 22) << "and no share is lost";
  }
}

TEST(DeadlineStarvation, DoesNotHitTheLightestTask) {
  Machine machine(1);
  machine.add(1, hog());
  machine.add_hogs(4, 10000);
  machine.run(60 * kSec);
  EXPECT_GE(machine.task(0).total, 60 * kSec / 40001 / 2);
}

// --- credit ---

TEST(DeadlineCredit, IsLostByATaskThatBecomesAHog) {
  // At first 2 ms of every 16; then all the time, with sleeps too short to matter.
  const Behaviour two_faced =
      change_at(5 * kSec, periodic(16 * kMs, 2 * kMs),
                [](std::uint64_t now) { return Step{now + 10 * kUs, 5 * kMs}; });
  Machine machine(1);
  machine.add_hogs(3);
  const std::size_t subject = machine.add(kNice0, two_faced);

  machine.run(5 * kSec);
  const auto before = machine.task(subject);
  EXPECT_GE(before.preemptions, before.wake_ups * 9 / 10);

  machine.run(5 * kSec + 200 * kMs);
  const auto after = machine.task(subject);
  machine.run(15 * kSec);
  const auto& end = machine.task(subject);
  EXPECT_LE(after.on_credit - before.on_credit, kSlice + 10 * kMs);
  EXPECT_EQ(end.preemptions, after.preemptions);
  EXPECT_NEAR(seconds(end.total - after.total), 9.8 / 4, 0.1);
}

TEST(DeadlineCredit, IsFoundByAHogThatBecomesInteractive) {
  const Behaviour reformed = change_at(
      5 * kSec, [](std::uint64_t now) { return Step{now, 10 * kMs}; }, periodic(16 * kMs, 2 * kMs));
  Machine machine(1);
  machine.add_hogs(3);
  const std::size_t subject = machine.add(kNice0, reformed);
  machine.run(6 * kSec);
  const auto before = machine.task(subject);
  machine.run(10 * kSec);
  const auto& after = machine.task(subject);
  EXPECT_GE(after.preemptions - before.preemptions, (after.wake_ups - before.wake_ups) * 9 / 10);
}

TEST(DeadlineCredit, CannotBeSavedUpBySleeping) {
  const Behaviour wakes_greedy = change_at(
      1, [](std::uint64_t) { return Step{10 * kSec, 500 * kUs}; },
      [](std::uint64_t now) { return Step{now + 10 * kUs, 500 * kUs}; });
  Machine machine(1);
  machine.add_hogs(3);
  const std::size_t sleeper = machine.add(kNice0, wakes_greedy);

  machine.run(11 * kSec);

  // A quarter of the second is its share; one slice of credit comes on top, and one of vtime.
  EXPECT_LE(machine.task(sleeper).total, kSec / 4 + 2 * kSlice);
  EXPECT_LE(machine.task(sleeper).on_credit, kSlice + kSec / 4);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(machine.least_in_window(i, kSec, 9 * kSec), kSec / 4 - 2 * kSlice) << i;
  }
}

TEST(DeadlineCredit, OfAllTogetherIsAtMostHalfOfTheMachine) {
  for (const std::uint32_t cpus : {1U, 4U, 8U}) {
    for (const std::uint64_t percent : {30U, 60U, 90U, 150U, 250U}) {
      for (const std::uint64_t run : {100 * kUs, 450 * kUs, 950 * kUs}) {
        Machine machine(cpus);
        machine.add_hogs(2 * cpus);
        machine.add_periodic(std::size_t{12} * cpus, run, percent * cpus);
        machine.run(kSec);
        const std::uint64_t before = machine.on_credit();
        machine.run(5 * kSec);
        // What the purse and the accounts may hold at the beginning is used on top.
        const std::uint64_t in_hand = (4 * cpus + machine.tasks().size()) * kSlice;
        EXPECT_LE(machine.on_credit() - before, 4 * kSec * cpus / 2 + in_hand)
            << cpus << " CPUs, " << percent << " % in bursts of " << run / kUs << " us";
      }
    }
  }
}

}  // namespace
}  // namespace cppland::policies
