// SPDX-License-Identifier: GPL-2.0-only
// periodic_test.cc - what counts as a wake-up, a late and a skipped period.
#include "periodic.h"

#include <gtest/gtest.h>

namespace cppland::load {
namespace {

constexpr Nanos kForever = 1'000'000;

TEST(PeriodicLedger, WorkInTimeIsNotMissed) {
  PeriodicLedger ledger(1000, 100);
  ledger.finished(1003, 1040, 0, kForever);
  EXPECT_EQ(ledger.release(), 1100);
  EXPECT_EQ(ledger.result().periods, 1U);
  EXPECT_EQ(ledger.result().missed(), 0U);
  EXPECT_EQ(ledger.result().wakeup.max(), 3U);
  EXPECT_EQ(ledger.result().completion.max(), 40U);
}

TEST(PeriodicLedger, WorkDoneExactlyAtTheNextStartIsInTime) {
  PeriodicLedger ledger(1000, 100);
  ledger.finished(1000, 1100, 0, kForever);
  EXPECT_EQ(ledger.result().missed(), 0U);
  EXPECT_EQ(ledger.release(), 1100);
}

TEST(PeriodicLedger, LateWorkMissesItsOwnPeriodAndTheOneItRanInto) {
  PeriodicLedger ledger(1000, 100);
  ledger.finished(1090, 1101, 0, kForever);
  EXPECT_EQ(ledger.result().late, 1U);
  EXPECT_EQ(ledger.result().skipped, 1U);
  EXPECT_EQ(ledger.result().periods, 2U);
  EXPECT_EQ(ledger.release(), 1200);
}

TEST(PeriodicLedger, ALongStallSkipsEveryPeriodThatBeganInIt) {
  PeriodicLedger ledger(1000, 100);
  ledger.finished(1950, 1960, 0, kForever);
  EXPECT_EQ(ledger.result().periods, 10U);
  EXPECT_EQ(ledger.result().missed(), 10U);
  EXPECT_EQ(ledger.result().wakeup.count(), 1U);
  EXPECT_EQ(ledger.result().wakeup.max(), 950U);
  EXPECT_EQ(ledger.release(), 2000);
}

TEST(PeriodicLedger, PeriodsOutsideTheMeasuredTimeDoNotCount) {
  PeriodicLedger ledger(1000, 100);
  ledger.finished(1001, 1250, 1200,
                  1400);  // began before; of 1100 and 1200 only the second is measured
  EXPECT_EQ(ledger.result().periods, 1U);
  EXPECT_EQ(ledger.result().skipped, 1U);
  EXPECT_EQ(ledger.result().wakeup.count(), 0U);
  ledger.finished(1301, 1650, 1200, 1400);  // 1300 counts, 1400 and later do not
  EXPECT_EQ(ledger.result().periods, 2U);
  EXPECT_EQ(ledger.result().late, 1U);
  EXPECT_EQ(ledger.result().skipped, 1U);
}

TEST(PeriodicResult, MergingAddsEverything) {
  PeriodicLedger one(0, 100);
  one.finished(5, 350, 0, kForever);
  PeriodicLedger two(0, 100);
  two.finished(7, 20, 0, kForever);
  PeriodicResult sum = one.result();
  sum.merge(two.result());
  EXPECT_EQ(sum.periods, 5U);
  EXPECT_EQ(sum.missed(), 4U);
  EXPECT_EQ(sum.wakeup.count(), 2U);
  EXPECT_EQ(sum.wakeup.max(), 7U);
}

TEST(RunPeriodic, DoesNothingWhenTheRunIsOver) {
  Timeline timeline;
  timeline.set(monotonic_now() - kSecond, 0, 1);
  PeriodicLedger ledger(timeline.start() + kMillisecond, kMillisecond);
  run_periodic(timeline, 1, ledger);
  EXPECT_EQ(ledger.result().periods, 0U);
}

TEST(RunPeriodic, CoversEveryPeriodOfTheMeasuredTime) {
  Timeline timeline;
  timeline.set(monotonic_now(), 5 * kMillisecond, 20 * kMillisecond);
  PeriodicLedger ledger(timeline.start() + kMillisecond / 2, kMillisecond);
  run_periodic(timeline, 1, ledger);
  EXPECT_EQ(ledger.result().periods, 20U);
  EXPECT_EQ(ledger.result().wakeup.count() + ledger.result().skipped, 20U);
}

}  // namespace
}  // namespace cppland::load
