// SPDX-License-Identifier: GPL-2.0-only
// interval_test.cc - confidence intervals against the textbook's table.
#include "stats/interval.h"

#include <gtest/gtest.h>

#include <vector>

namespace cppland {
namespace {

TEST(MeanInterval, OfNoSampleIsNothing) {
  EXPECT_EQ(mean_interval({}).mean, 0);
  EXPECT_FALSE(mean_interval({}).half_width);
}

TEST(MeanInterval, OfOneSampleHasNoWidth) {
  const Interval one = mean_interval(std::vector{42.0});
  EXPECT_EQ(one.mean, 42);
  EXPECT_FALSE(one.half_width);
  EXPECT_FALSE(one.leaves_out_zero());
}

// t(0.975) is 12.706 for one degree of freedom, and 2.776 for four.
TEST(MeanInterval, FollowsStudentsT) {
  const Interval two = mean_interval(std::vector{-1.0, 1.0});
  EXPECT_EQ(two.mean, 0);
  EXPECT_NEAR(two.half_width.value_or(0), 12.706, 0.001);
  const Interval five = mean_interval(std::vector{1.0, 2.0, 3.0, 4.0, 5.0});
  EXPECT_DOUBLE_EQ(five.mean, 3);
  EXPECT_NEAR(five.half_width.value_or(0), 2.776 * 0.70711, 0.001);
}

TEST(MeanInterval, OfEqualSamplesHasWidthZero) {
  const Interval same = mean_interval(std::vector{-7.0, -7.0, -7.0});
  EXPECT_EQ(same.mean, -7);
  EXPECT_EQ(same.half_width, 0);
  EXPECT_TRUE(same.leaves_out_zero());
}

// The sum of five of them is rounded.
TEST(MeanInterval, OfEqualFractionsIsExact) {
  const Interval same = mean_interval(std::vector(5, 0.9998));
  EXPECT_EQ(same.mean, 0.9998);
  EXPECT_EQ(same.half_width, 0);
  EXPECT_EQ(mean_interval(std::vector(3, 0.1)).half_width, 0);
}

TEST(MeanInterval, LeavesOutZeroIfItLiesWhollyOnOneSide) {
  EXPECT_TRUE(mean_interval(std::vector{4.0, 5.0, 6.0}).leaves_out_zero());
  EXPECT_TRUE(mean_interval(std::vector{-4.0, -5.0, -6.0}).leaves_out_zero());
  EXPECT_FALSE(mean_interval(std::vector{-1.0, 5.0, 6.0}).leaves_out_zero());
  EXPECT_FALSE(mean_interval(std::vector{0.0, 0.0}).leaves_out_zero());
}

}  // namespace
}  // namespace cppland
