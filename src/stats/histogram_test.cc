// SPDX-License-Identifier: GPL-2.0-only
// histogram_test.cc - the histogram against exact answers.
#include "stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace cppland {
namespace {

TEST(Histogram, AnswersZeroWithoutValues) {
  const Histogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_EQ(empty.min(), 0U);
  EXPECT_EQ(empty.max(), 0U);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_EQ(empty.quantile(0.5), 0U);
  EXPECT_TRUE(empty.cells().empty());
}

TEST(Histogram, OneValueIsEveryQuantileExactly) {
  Histogram one;
  one.record(123'456'789);
  for (const double fraction : {0.0, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(one.quantile(fraction), 123'456'789U);
  }
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram small;
  for (std::uint64_t value = 0; value < 256; ++value) {
    small.record(value);
  }
  EXPECT_EQ(small.quantile(0.5), 127U);
  EXPECT_EQ(small.quantile(0.25), 63U);
  EXPECT_EQ(small.cells().size(), 256U);
}

TEST(Histogram, QuantilesAreWithinOnePercentOfTheExactOnes) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> durations(11, 3);
  Histogram histogram;
  std::vector<std::uint64_t> exact;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::min(static_cast<std::uint64_t>(durations(random)), Histogram::kLargest);
    histogram.record(value);
    exact.push_back(value);
  }
  std::ranges::sort(exact);
  for (const double fraction : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(exact.size())));
    const auto truth = static_cast<double>(exact[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(fraction)), truth, truth * 0.01) << fraction;
  }
  EXPECT_EQ(histogram.min(), exact.front());
  EXPECT_EQ(histogram.max(), exact.back());
}

TEST(Histogram, EveryMagnitudeKeepsTheErrorBound) {
  for (std::uint64_t base = 1; base < Histogram::kLargest / 3; base = base * 3 + 1) {
    Histogram histogram;
    histogram.record(1);
    histogram.record(base);
    histogram.record(base);
    histogram.record(Histogram::kLargest);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), static_cast<double>(base),
                static_cast<double>(base) / 256);
  }
}

TEST(Histogram, TooLargeValuesCountAsTheLargest) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.max(), Histogram::kLargest);
  EXPECT_EQ(histogram.count(), 1U);
}

TEST(Histogram, MergingEqualsRecordingTogether) {
  std::mt19937_64 random(3);
  Histogram first;
  Histogram second;
  Histogram both;
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t value = random() >> (24 + random() % 40);
    (i % 3 == 0 ? first : second).record(value);
    both.record(value);
  }
  first.merge(second);
  EXPECT_EQ(first.cells(), both.cells());
  EXPECT_EQ(first.count(), both.count());
  EXPECT_DOUBLE_EQ(first.mean(), both.mean());
  EXPECT_EQ(first.quantile(0.9), both.quantile(0.9));
}

TEST(Histogram, MergingWithNothingChangesNothing) {
  Histogram histogram;
  histogram.record(42);
  histogram.merge(Histogram());
  EXPECT_EQ(histogram.min(), 42U);
  EXPECT_EQ(histogram.max(), 42U);
}

}  // namespace
}  // namespace cppland
