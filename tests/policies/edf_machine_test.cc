// SPDX-License-Identifier: GPL-2.0-only
// edf_machine_test.cc - what learnt periods come to on a machine.
#include "policies/edf.h"

#include <gtest/gtest.h>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Edf>;

constexpr std::uint64_t kFar = 50 * kMs;  // how much later than a period others are due

TEST(EdfOnAMachine, MissesNoDeadlineThatCanBeMet) {
  Machine machine(1);
  machine.add_hogs(4);
  const sim::Task& sound = machine.add(every(5 * kMs, kMs));
  machine.run(10 * kSec);
  machine.forget();
  const std::uint64_t had = machine.cpu_time(sound);
  machine.run(26 * kSec);
  EXPECT_EQ(machine.account(sound).wake_ups, 3200U);
  EXPECT_GE(machine.cpu_time(sound) - had, 3200 * kMs * 99 / 100);
  EXPECT_LE(machine.longest_wait(sound), kChange);
}

// With ticks that notice slices as they end. When turns are longer, light tasks get more.
TEST(EdfOnAMachine, SharesByWeightAmongHogs) {
  Machine machine(1, {.tick_ns = kMs / 4});
  for (const int nice : {-10, 0, 10}) machine.add_hogs(1, nice);
  machine.run(20 * kSec);
  expect_shares_by_weight(machine, 0.05);
}

// They are due kFar after their fair turn, of all that want one.
TEST(EdfOnAMachine, LetsNobodyStarveBehindPeriods) {
  for (const std::uint64_t run : {200 * kUs, 900 * kUs, 2 * kMs}) {
    Machine machine(1);
    machine.add_hogs(2);
    machine.add_periodic(50, run, 200);
    machine.run(4 * kSec);
    for (const sim::Task* hog : machine.tasks().first(2)) {
      EXPECT_LE(machine.longest_wait(*hog), kFar + 52 * longest_turn(kMs)) << run;
      if (run < 900 * kUs) continue;  // its turn is preempted as soon as it begins
      EXPECT_GE(machine.least_in_window(*hog, kSec, 2 * kSec), kSec / 52 / 2) << run;
    }
  }
}

TEST(EdfOnAMachine, GivesNoMoreThanHalfOfTheMachineOnCredit) {
  Machine machine(1);
  const sim::Task& hog = machine.add(always());
  machine.add_periodic(12, 900 * kUs, 90);
  machine.run(kSec);
  const std::uint64_t had = machine.cpu_time(hog);
  const std::uint64_t before = machine.on_credit();
  machine.run(6 * kSec);
  // What the purse holds at the beginning, and each has of it, is used on top.
  EXPECT_LE(machine.on_credit() - before, 5 * kSec / 2 + kFar + 12 * 10'800 * kUs / 4);
  EXPECT_GE(machine.cpu_time(hog) - had, 5 * kSec / 13);
}

TEST(EdfOnAMachine, TakesCreditFromAPeriodicTaskThatBecomesAHog) {
  Machine machine(1);
  machine.add_hogs(2);
  const sim::Task& subject = machine.add(change_at(2 * kSec, every(16 * kMs, kMs), always()));
  machine.run(2 * kSec);
  EXPECT_GE(machine.account(subject).preemptions, 90U);
  machine.run(2 * kSec + 200 * kMs);
  const std::uint64_t had = machine.cpu_time(subject);
  machine.run(5 * kSec + 200 * kMs);
  EXPECT_NEAR(seconds(machine.cpu_time(subject) - had), 1.0, 0.05);
}

}  // namespace
}  // namespace cppland::policies
