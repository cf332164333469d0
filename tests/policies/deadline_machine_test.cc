// SPDX-License-Identifier: GPL-2.0-only
// deadline_machine_test.cc - what the deadline policy's arithmetic comes to on a machine: shares,
// waiting times, and what preempting tasks take from the others.
#include "policies/deadline.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Deadline>;

constexpr std::uint64_t kSlice = 20 * kMs;  // how far a sleeper may fall behind

// --- shares ---

TEST(DeadlineShares, GoToHogsByWeight) {
  for (const unsigned cpus : {1U, 2U, 4U}) {
    Machine machine(cpus);
    for (const int nice : {-10, 0, 10}) machine.add_hogs(cpus, nice);
    machine.run(20 * kSec);
    SCOPED_TRACE(cpus);
    expect_shares_by_weight(machine, 0.05);
  }
}

TEST(DeadlineShares, AreEqualForEqualHogsThatDoNotDivideEvenly) {
  Machine machine(4);
  machine.add_hogs(7);
  machine.run(10 * kSec);
  expect_equal_shares(machine, 2 * seconds(longest_turn(kMs)));
}

TEST(DeadlineShares, AreEqualForHogsOfWhomOneWaits) {
  for (const unsigned cpus : {2U, 4U}) {
    Machine machine(cpus);
    machine.add_hogs(cpus + 1);
    machine.run(10 * kSec);
    SCOPED_TRACE(cpus);
    expect_shares_by_weight(machine, 0.05);
  }
}

TEST(DeadlineShares, StayByWeightBesideTasksThatWakeOften) {
  Machine machine(1);
  machine.add_hogs(1, -10);
  machine.add_hogs(1, 0);
  machine.add_periodic(5, kMs, 20);
  machine.run(20 * kSec);
  const double heavy = seconds(machine.cpu_time(*machine.tasks()[0]));
  const double light = seconds(machine.cpu_time(*machine.tasks()[1]));
  EXPECT_NEAR(heavy / light, 9.32, 0.05 * 9.32);
}

TEST(DeadlineShares, DoNotDependOnWhoArrivesFirstWhenAllIsEqual) {
  Machine machine(1);
  machine.add_hogs(7);
  machine.run(7 * kSec);
  expect_equal_shares(machine, seconds(longest_turn(kMs)));
  EXPECT_LE(machine.longest_wait_of_all(), 7 * longest_turn(kMs));
}

TEST(DeadlineShares, LeaveNoCpuIdleThatSomebodyWants) {
  Machine machine(4);
  machine.add_hogs(3);
  machine.add_periodic(30, 700 * kUs, 300);
  machine.run(5 * kSec);
  std::uint64_t idle = 0;
  for (int cpu = 0; cpu < 4; ++cpu) idle += machine.machine().idle_ns(cpu);
  EXPECT_LE(idle, 4 * 5 * kSec / 1000);
}

// --- latency ---

TEST(DeadlineLatency, IsShortForATaskThatUsesLessThanItsShare) {
  for (const unsigned cpus : {1U, 4U}) {
    Machine machine(cpus);
    machine.add_hogs(4 * cpus);
    const sim::Task& sixty_hz = machine.add(every(16'667 * kUs, 2 * kMs));
    machine.run(kSec);
    machine.forget();
    machine.run(10 * kSec);
    EXPECT_LE(machine.longest_wait(sixty_hz), kChange) << cpus << " CPUs";
    EXPECT_NEAR(seconds(machine.cpu_time(sixty_hz)), 1.2, 0.02) << cpus << " CPUs";
    const Account& account = machine.account(sixty_hz);
    EXPECT_GE(account.preemptions, account.wake_ups * 9 / 10) << cpus << " CPUs";
  }
}

// Nobody else waits, so there is nothing to choose; and yet it must not wait for the hog's turn.
TEST(DeadlineLatency, IsShortForATimerBesideOneHogForEachCpu) {
  for (const unsigned cpus : {1U, 2U}) {
    for (const std::uint64_t period : {kMs, 300 * kUs}) {
      Machine machine(cpus);
      machine.add_hogs(cpus);
      const sim::Task& timer = machine.add(every(period, 10 * kUs));
      machine.run(5 * kSec);
      const std::vector<std::uint64_t>& waits = machine.account(timer).waits;
      const auto late = std::ranges::count_if(waits, [](auto wait) { return wait > kChange; });
      EXPECT_GE(waits.size(), 5 * kSec / period * 99 / 100);
      EXPECT_LE(static_cast<std::size_t>(late), waits.size() / 200) << cpus << " CPUs, " << period;
    }
  }
}

TEST(DeadlineLatency, IsShortForManyThatTogetherUseLessThanTheirShare) {
  Machine machine(4);
  machine.add_hogs(16);
  machine.add_periodic(20, 700 * kUs, 70);
  machine.run(kSec);
  machine.forget();
  machine.run(5 * kSec);
  for (const sim::Task* task : machine.tasks().last(20))
    EXPECT_LE(machine.longest_wait(*task), kProtect + kChange) << task->pid;
}

// A CPU takes a while to hear of the first, and still runs whom that one preempts.
TEST(DeadlineLatency, IsShortForSeveralThatWakeUpAtTheSameTime) {
  Machine machine(4, {.costs = {.interrupt_to_cpu = 50 * kUs}});
  machine.add_hogs(16);
  for (int i = 0; i < 3; ++i) machine.add(every(16'667 * kUs, kMs));
  machine.run(kSec);
  machine.forget();
  machine.run(10 * kSec);
  for (const sim::Task* task : machine.tasks().last(3))
    EXPECT_LE(machine.longest_wait(*task), 50 * kUs + kChange) << task->pid;
}

// --- starvation ---

// Of machines that ran for five seconds, once the hogs have drifted back by their slice and their
// last turn: that alone takes as long as all others need to use up as much, and nobody waits for
// longer. In every window of one second, where the last turn may just miss the end.
void expect_half_of_the_fair_share(const Machine& machine, std::size_t hogs, unsigned cpus,
                                   const std::string& what) {
  const std::uint64_t half = kSec * cpus / machine.tasks().size() / 2;
  for (const sim::Task* hog : machine.tasks().first(hogs)) {
    EXPECT_GE(machine.least_in_window(*hog, kSec, 2 * kSec) + longest_turn(kMs), half)
        << what << ", " << hog->pid;
    EXPECT_GE(machine.least_in_window(*hog, 2 * kSec, 2 * kSec), 2 * half)
        << what << ", " << hog->pid;
  }
  EXPECT_LE(machine.longest_wait_of_all(),
            machine.tasks().size() * (kSlice + longest_turn(kMs)) / cpus)
      << what;
}

TEST(DeadlineStarvation, DoesNotComeFromFiftyTasksThatWantTwiceTheMachine) {
  for (const unsigned cpus : {1U, 4U}) {
    for (const std::uint64_t run : {40 * kUs, 200 * kUs, 900 * kUs, 2 * kMs}) {
      for (const std::size_t hogs : {std::size_t{1}, std::size_t{2} * cpus}) {
        Machine machine(cpus);
        machine.add_hogs(hogs);
        machine.add_periodic(50, run, std::uint64_t{200} * cpus);
        machine.run(5 * kSec);
        const std::string what = std::to_string(cpus) + " CPUs, " + std::to_string(hogs) +
                                 " hogs, bursts of " + std::to_string(run / kUs) + " us";
        expect_half_of_the_fair_share(machine, hogs, cpus, what);
      }
    }
  }
}

// The worst that a search found: while few wait at a time, each of many sleepers is due so much
// that together they would take the whole machine.
TEST(DeadlineStarvation, DoesNotComeFromManyWhoseBurstsAreAlmostASlice) {
  struct Case {
    unsigned cpus;
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
  }
}

// So many that a round of turns takes longer than a task may wait before it is rescued: then all
// are, and who is rescued later must not come first.
TEST(DeadlineStarvation, DoesNotComeFromRescuesOfMany) {
  for (const std::size_t hogs : {std::size_t{600}, std::size_t{1000}}) {
    Machine machine(1);
    machine.add_hogs(hogs);
    machine.run(20 * kSec);
    EXPECT_LE(machine.longest_wait_of_all(), (hogs + 1) * longest_turn(kMs)) << hogs << " hogs";
  }
}

// Many wake at once, after a sleep in which they fell a slice behind: each may use up that slice,
// and the one by which a hog drifts back, before the hog. That is the price of one slice of credit.
TEST(DeadlineStarvation, LastsAtMostTwoSlicesOfEachWhoComesBackFromSleep) {
  constexpr std::uint64_t kSleepers = 20;
  const auto wakes_for_long = [](std::uint64_t now) {
    return Turn{(now / (2 * kSec) + 1) * 2 * kSec, 300 * kMs};
  };
  Machine machine(1);
  machine.add_hogs(2);
  for (std::uint64_t i = 0; i < kSleepers; ++i) machine.add(wakes_for_long);
  machine.run(20 * kSec);
  EXPECT_LE(machine.longest_wait_of_all(), kSleepers * 2 * kSlice + 22 * kMs);
  for (const sim::Task* hog : machine.tasks().first(2))
    EXPECT_GE(machine.cpu_time(*hog), 20 * kSec / 22) << "and no share is lost";
}

// Its turn of one tick is worth two minutes of the others' time. It does not wait for that: after
// `starve_ns` it is next, as soon as this is looked after, and a slice of the heaviest ends.
TEST(DeadlineStarvation, DoesNotHitTheLightestTask) {
  Machine machine(1);
  const sim::Task& lightest = machine.add(always(), 19);
  machine.add_hogs(4, -20);
  machine.run(20 * kSec);
  EXPECT_LE(machine.longest_wait(lightest), 2 * kSec + 50 * kMs + longest_turn(87 * kMs));
  EXPECT_GE(machine.cpu_time(lightest), 20 / 3 * kTick);
}

// --- credit ---

TEST(DeadlineCredit, IsLostByATaskThatBecomesAHog) {
  // At first 2 ms of every 16; then all the time, with sleeps too short to matter.
  const Turns two_faced = change_at(5 * kSec, every(16 * kMs, 2 * kMs), [](std::uint64_t now) {
    return Turn{now + 10 * kUs, 5 * kMs};
  });
  Machine machine(1);
  machine.add_hogs(3);
  const sim::Task& subject = machine.add(two_faced);

  machine.run(5 * kSec);
  const Account before = machine.account(subject);
  EXPECT_GE(before.preemptions, before.wake_ups * 9 / 10);

  machine.run(5 * kSec + 200 * kMs);
  const Account after = machine.account(subject);
  const std::uint64_t had = machine.cpu_time(subject);
  machine.run(15 * kSec);
  EXPECT_LE(after.on_credit - before.on_credit, kSlice + 2 * longest_turn(kMs));
  EXPECT_EQ(machine.account(subject).preemptions, after.preemptions);
  EXPECT_NEAR(seconds(machine.cpu_time(subject) - had), 9.8 / 4, 0.1);
}

TEST(DeadlineCredit, IsFoundByAHogThatBecomesInteractive) {
  const Turns reformed = change_at(
      5 * kSec, [](std::uint64_t now) { return Turn{now, 10 * kMs}; }, every(16 * kMs, 2 * kMs));
  Machine machine(1);
  machine.add_hogs(3);
  const sim::Task& subject = machine.add(reformed);
  machine.run(6 * kSec);
  const Account before = machine.account(subject);
  machine.run(10 * kSec);
  const Account& after = machine.account(subject);
  EXPECT_GE(after.preemptions - before.preemptions, (after.wake_ups - before.wake_ups) * 9 / 10);
}

TEST(DeadlineCredit, CannotBeSavedUpBySleeping) {
  const Turns wakes_greedy = change_at(
      kSec, [](std::uint64_t) { return Turn{10 * kSec, 8 * kMs}; },
      [](std::uint64_t now) { return Turn{now + 10 * kUs, 8 * kMs}; });
  Machine machine(1);
  machine.add_hogs(3);
  const sim::Task& sleeper = machine.add(wakes_greedy);

  machine.run(11 * kSec);

  // A quarter of the second is its share; one slice of credit comes on top, and one of vtime.
  EXPECT_LE(machine.cpu_time(sleeper), kSec / 4 + 2 * kSlice);
  EXPECT_LE(machine.account(sleeper).on_credit, kSlice + kSec / 4);
  for (const sim::Task* hog : machine.tasks().first(3))
    EXPECT_GE(machine.least_in_window(*hog, kSec, 9 * kSec), kSec / 4 - 2 * kSlice) << hog->pid;
}

TEST(DeadlineCredit, OfAllTogetherIsAtMostHalfOfTheMachine) {
  for (const unsigned cpus : {1U, 4U}) {
    for (const std::uint64_t percent : {60U, 150U, 250U}) {
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
