// SPDX-License-Identifier: GPL-2.0-only
// fairness_test.cc - Jain's index, and shares by weight with a limit.
#include "stats/fairness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace cppland {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

auto near(const std::vector<double>& values) { return Pointwise(DoubleNear(1e-9), values); }

TEST(JainIndex, IsOneIfAllHaveTheSame) {
  EXPECT_DOUBLE_EQ(jain_index(std::vector{3.0, 3.0, 3.0}), 1);
  EXPECT_DOUBLE_EQ(jain_index(std::vector{0.1}), 1);
}

TEST(JainIndex, IsOneOfNIfOneHasEverything) {
  EXPECT_DOUBLE_EQ(jain_index(std::vector{0.0, 8.0, 0.0, 0.0}), 0.25);
}

TEST(JainIndex, LiesBetween) {
  EXPECT_DOUBLE_EQ(jain_index(std::vector{1.0, 2.0, 3.0}), 36.0 / (3 * 14));
}

TEST(JainIndex, IsOneIfThereIsNothingToCompare) {
  EXPECT_EQ(jain_index({}), 1);
  EXPECT_EQ(jain_index(std::vector{0.0, 0.0}), 1);
}

TEST(FairShares, AreByWeight) {
  EXPECT_THAT(fair_shares(8, std::vector{1.0, 3.0, 4.0}, 100), near({1, 3, 4}));
}

TEST(FairShares, PassOnWhatTheHeaviestCannotUse) {
  EXPECT_THAT(fair_shares(4, std::vector{1.0, 100.0, 1.0}, 2), near({1, 2, 1}));
}

TEST(FairShares, PassOnAgainIfThatIsTooMuchForTheNext) {
  EXPECT_THAT(fair_shares(10, std::vector{1.0, 6.0, 50.0, 1.0}, 4), near({1, 4, 4, 1}));
}

TEST(FairShares, AreNoMoreThanAllCanUse) {
  EXPECT_THAT(fair_shares(10, std::vector{1.0, 5.0}, 3), near({3, 3}));
  EXPECT_THAT(fair_shares(6, std::vector{1.0, 5.0}, 3), near({3, 3}));
}

TEST(FairShares, OfNothingAreNothing) {
  EXPECT_THAT(fair_shares(0, std::vector{1.0, 5.0}, 3), near({0, 0}));
  EXPECT_THAT(fair_shares(10, {}, 3), ElementsAre());
}

}  // namespace
}  // namespace cppland
