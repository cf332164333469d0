// SPDX-License-Identifier: GPL-2.0-only
// fifo_machine_test.cc - what first come, first served comes to on a machine.
#include "policies/fifo.h"

#include <gtest/gtest.h>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Fifo>;

constexpr std::uint64_t kRound = 5 * kMs;

TEST(FifoOnAMachine, GivesHogsEqualParts) {
  Machine machine(1);
  machine.add_hogs(5);
  machine.run(5 * kSec);
  expect_equal_shares(machine, seconds(longest_turn(kRound / 5)));
}

// A round is a turn of everybody else.
TEST(FifoOnAMachine, LetsNobodyWaitForMoreThanARound) {
  Machine machine(2);
  machine.add_hogs(8);
  const sim::Task& sleeper = machine.add(every(16 * kMs, kMs));
  machine.run(5 * kSec);
  EXPECT_LE(machine.longest_wait(sleeper), 8 / 2 * longest_turn(kRound / 8));
  EXPECT_EQ(machine.account(sleeper).preemptions, 0U);
}

}  // namespace
}  // namespace cppland::policies
