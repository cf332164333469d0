// SPDX-License-Identifier: GPL-2.0-only
// table_test.cc - the policies on offer: named, described, and made.

#include "policies/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace cppland::policies {
namespace {

TEST(PolicyTable, OffersTheDefaultFirst) {
  std::vector<std::string_view> names;
  for (const PolicyEntry& entry : all()) {
    names.push_back(entry.name);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("deadline", "eevdf", "edf", "mlfq", "lottery", "fifo"));
}

TEST(PolicyTable, DescribesEachInOneLine) {
  for (const PolicyEntry& entry : all()) {
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_EQ(entry.summary.find('\n'), std::string_view::npos) << entry.name;
  }
}

TEST(PolicyTable, MakesEachWithNothingWaiting) {
  for (const PolicyEntry& entry : all()) {
    const auto runner = entry.make({});
    ASSERT_NE(runner, nullptr) << entry.name;
    EXPECT_EQ(runner->waiting(), 0U) << entry.name;
    EXPECT_FALSE(runner->strict()) << entry.name;
  }
}

}  // namespace
}  // namespace cppland::policies
