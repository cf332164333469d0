// SPDX-License-Identifier: GPL-2.0-only
// eevdf_machine_test.cc - what deadlines of the eligible come to on a machine.
#include "policies/eevdf.h"

#include <gtest/gtest.h>

#include "tests/support/scheduled.h"

namespace cppland::policies {
namespace {

using namespace sim::testing;  // NOLINT(google-build-using-namespace): its words are these tests'
                               // own

using Machine = ScheduledBy<Eevdf>;

constexpr std::uint64_t kSlice = 20 * kMs;  // the most that anybody is owed, or owes

TEST(EevdfOnAMachine, SharesByWeight) {
  Machine machine(1);
  for (const int nice : {-10, 0, 10}) machine.add_hogs(1, nice);
  machine.run(20 * kSec);
  expect_shares_by_weight(machine, 0.05);
}

TEST(EevdfOnAMachine, ForgivesWhoRanAlone) {
  Machine machine(1);
  const sim::Task& alone = machine.add(always());
  machine.add([](std::uint64_t now) { return Turn{now < kSec ? kSec : now, 10 * kSec}; });
  machine.run(2 * kSec);
  const std::uint64_t to_share = 200 * kMs - 2 * kSlice - longest_turn(kMs);
  EXPECT_GE(machine.least_in_window(alone, 200 * kMs, kSec), to_share / 2);
}

TEST(EevdfOnAMachine, LetsNobodyStarve) {
  Machine machine(1);
  machine.add_hogs(2);
  machine.add_periodic(50, 400 * kUs, 200);
  machine.run(3 * kSec);
  for (const sim::Task* hog : machine.tasks().first(2))
    EXPECT_GE(machine.least_in_window(*hog, kSec, kSec), kSec / 52 / 2);
}

}  // namespace
}  // namespace cppland::policies
