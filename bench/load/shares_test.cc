// SPDX-License-Identifier: GPL-2.0-only
// shares_test.cc - weights and the division of CPU time.
#include "shares.h"

#include <gtest/gtest.h>

#include <numeric>

namespace cppland::load {
namespace {

TEST(Weights, AreTheKernelsAtTheEndsAndInTheMiddle) {
  EXPECT_EQ(weight_of_nice(-20), 88761);
  EXPECT_EQ(weight_of_nice(0), 1024);
  EXPECT_EQ(weight_of_nice(19), 15);
}

TEST(Weights, FallByAboutAQuarterPerStep) {
  for (int nice = kLowestNice; nice < kHighestNice; ++nice) {
    EXPECT_NEAR(1.0 * weight_of_nice(nice) / weight_of_nice(nice + 1), 1.25, 0.07) << nice;
  }
}

TEST(ExpectedShares, AreEmptyWithoutTasks) { EXPECT_TRUE(expected_shares({}, 2).empty()); }

TEST(ExpectedShares, OneTaskGetsEverything) {
  const std::vector<int> nices = {7};
  EXPECT_EQ(expected_shares(nices, 4), std::vector<double>{1.0});
}

TEST(ExpectedShares, FollowTheWeightsOnOneCpu) {
  const std::vector<int> nices = {10, 0, -10};
  const auto shares = expected_shares(nices, 1);
  const double sum = 110 + 1024 + 9548;
  EXPECT_NEAR(shares[0], 110 / sum, 1e-12);
  EXPECT_NEAR(shares[1], 1024 / sum, 1e-12);
  EXPECT_NEAR(shares[2], 9548 / sum, 1e-12);
}

TEST(ExpectedShares, NoTaskGetsMoreThanOneCpu) {
  const std::vector<int> nices = {-20, 0, 0};
  const auto shares = expected_shares(nices, 2);
  EXPECT_DOUBLE_EQ(shares[0], 0.5);
  EXPECT_DOUBLE_EQ(shares[1], 0.25);
  EXPECT_DOUBLE_EQ(shares[2], 0.25);
}

TEST(ExpectedShares, TasksFewerThanCpusRunAllTheTime) {
  const std::vector<int> nices = {-5, 19};
  const auto shares = expected_shares(nices, 8);
  EXPECT_DOUBLE_EQ(shares[0], 0.5);
  EXPECT_DOUBLE_EQ(shares[1], 0.5);
}

TEST(ExpectedShares, SumToOne) {
  std::vector<int> nices;
  for (int i = 0; i < 23; ++i) {
    nices.push_back(-20 + (i * 17) % 40);
    for (unsigned cpus = 1; cpus < 26; ++cpus) {
      const auto shares = expected_shares(nices, cpus);
      EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-9);
    }
  }
}

}  // namespace
}  // namespace cppland::load
