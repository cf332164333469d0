// SPDX-License-Identifier: GPL-2.0-only
// lottery_machine_test.cc - what drawing lots comes to on a machine.
#include "policies/lottery.h"

#include <gtest/gtest.h>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Lottery>;

// The lightest wins some 2,000 of the draws, so what it gets has a deviation of 2.2 %.
TEST(LotteryOnAMachine, SharesByWeightInTheLongRun) {
  Machine machine(1);
  for (const int nice : {-7, -5, 0, 0}) machine.add_hogs(1, nice);
  machine.run(80 * kSec);
  expect_shares_by_weight(machine, 0.08);
}

// Ten times its fair part of turns without a win has a chance of e^-10. Its own turns last until a
// tick, and the others' are as long together.
TEST(LotteryOnAMachine, LetsNobodyStarve) {
  Machine machine(1);
  const sim::Task& subject = machine.add(always());
  machine.add_periodic(20, kMs, 200);
  machine.run(5 * kSec);
  EXPECT_LE(machine.longest_wait(subject), 10 * 21 * kTick);
  EXPECT_GE(machine.cpu_time(subject), 5 * kSec / 21 / 2);
}

}  // namespace
}  // namespace cppland::policies
