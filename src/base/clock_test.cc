// SPDX-License-Identifier: GPL-2.0-only
// clock_test.cc - the clock is CLOCK_MONOTONIC, in nanoseconds.

#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cppland {
namespace {

Nanos steady_now() {
  // libstdc++'s steady clock reads CLOCK_MONOTONIC.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<Nanos>(std::chrono::nanoseconds(now).count());
}

TEST(Clock, IsTheMonotonicOne) {
  const Nanos before = steady_now();
  const Nanos now = monotonic_now();
  const Nanos after = steady_now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(Clock, UnitsAreNanoseconds) {
  EXPECT_EQ(kSecond, 1000 * kMillisecond);
  EXPECT_EQ(kMillisecond, 1000 * kMicrosecond);
}

}  // namespace
}  // namespace cppland
