// SPDX-License-Identifier: GPL-2.0-only
// mlfq_machine_test.cc - what the levels come to on a machine.
#include "policies/mlfq.h"

#include <gtest/gtest.h>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Mlfq>;

constexpr std::uint64_t kBoost = 500 * kMs;  // from one to the next

TEST(MlfqOnAMachine, LetsAShortTaskGoAheadOfHogs) {
  Machine machine(1);
  machine.add_hogs(4);
  const sim::Task& typist = machine.add(every(20 * kMs, 500 * kUs));
  machine.run(kSec);
  machine.forget();
  machine.run(5 * kSec);
  const Account& account = machine.account(typist);
  // Right after a boost a hog has credit, too.
  EXPECT_LE(machine.longest_wait(typist), kProtect + kChange);
  EXPECT_GE(account.preemptions, account.wake_ups * 9 / 10);
}

// ... and then for the turns of those who wait as long.
TEST(MlfqOnAMachine, MakesNobodyWaitForMoreThanTheTimeBetweenBoosts) {
  for (const std::uint64_t run_us : {100U, 900U}) {
    Machine machine(1);
    const sim::Task& subject = machine.add(always());
    machine.add_periodic(40, run_us * kUs, 200);
    machine.run(5 * kSec);
    const std::uint64_t turns = 40 * (run_us * kUs + kChange) + longest_turn(kMs);
    EXPECT_LE(machine.longest_wait(subject), kBoost + turns) << run_us;
    EXPECT_GE(machine.least_in_window(subject, kSec, kSec), kTick) << run_us;
  }
}

TEST(MlfqOnAMachine, SharesAmongHogsEvenly) {
  Machine machine(2);
  machine.add_hogs(6);
  machine.run(6 * kSec);
  expect_equal_shares(machine, 0.1);
}

}  // namespace
}  // namespace cppland::policies
