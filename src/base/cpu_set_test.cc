// SPDX-License-Identifier: GPL-2.0-only
// cpu_set_test.cc - membership, order, and the kernel's list notation.

#include "base/cpu_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace cppland {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<unsigned> members(const CpuSet& set) { return {set.begin(), set.end()}; }

TEST(CpuSet, IsEmptyAtFirst) {
  const CpuSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.count(), 0U);
  EXPECT_EQ(set.first(), CpuSet::kCapacity);
  EXPECT_THAT(members(set), IsEmpty());
}

TEST(CpuSet, HoldsWhatIsSetUntilItIsCleared) {
  CpuSet set;
  for (const unsigned cpu : {0U, 63U, 64U, 1023U}) {
    set.set(cpu);
  }
  EXPECT_EQ(set.count(), 4U);
  EXPECT_TRUE(set.test(63));
  EXPECT_FALSE(set.test(62));
  EXPECT_THAT(members(set), ElementsAre(0, 63, 64, 1023));

  set.clear(63);
  EXPECT_FALSE(set.test(63));
  EXPECT_THAT(members(set), ElementsAre(0, 64, 1023));
}

TEST(CpuSet, NeverHoldsWhatIsBeyondItsCapacity) {
  const CpuSet set = CpuSet::parse("0-1023").value();
  EXPECT_FALSE(set.test(1024));
  EXPECT_FALSE(set.test(~0U));
  EXPECT_EQ(set.next(1024), CpuSet::kCapacity);
}

TEST(CpuSet, NextFindsTheFirstThatIsNotBelow) {
  const CpuSet set = CpuSet::parse("5,64,200").value();
  EXPECT_EQ(set.next(0), 5U);
  EXPECT_EQ(set.next(5), 5U);
  EXPECT_EQ(set.next(6), 64U);
  EXPECT_EQ(set.next(65), 200U);
  EXPECT_EQ(set.next(201), CpuSet::kCapacity);
}

TEST(CpuSet, UniteAndIntersect) {
  const CpuSet a = CpuSet::parse("0-3,100").value();
  const CpuSet b = CpuSet::parse("2-5,100").value();
  EXPECT_EQ((a | b).to_string(), "0-5,100");
  EXPECT_EQ((a & b).to_string(), "2-3,100");
  EXPECT_NE(a, b);
}

TEST(CpuSetParse, ReadsTheKernelsLists) {
  EXPECT_THAT(members(CpuSet::parse("0").value()), ElementsAre(0));
  EXPECT_THAT(members(CpuSet::parse("0-3,8\n").value()), ElementsAre(0, 1, 2, 3, 8));
  EXPECT_THAT(members(CpuSet::parse("8,0-1,1-2").value()), ElementsAre(0, 1, 2, 8));
  EXPECT_THAT(members(CpuSet::parse("7-7").value()), ElementsAre(7));
  EXPECT_EQ(CpuSet::parse("0-1023").value().count(), 1024U);
}

TEST(CpuSetParse, NothingIsTheEmptySet) {
  EXPECT_EQ(CpuSet::parse(""), CpuSet());
  EXPECT_EQ(CpuSet::parse("\n"), CpuSet());
}

TEST(CpuSetParse, RefusesWhatIsNoList) {
  for (const char* list : {",", "1,", ",1", "1,,2", "-", "1-", "-1", "1--2", "3-1", "a", "1a",
                           "1 2", "1-2-3", "0x1", "0-8:2/4", "+1", "1.5"}) {
    const Result<CpuSet> set = CpuSet::parse(list);
    ASSERT_FALSE(set) << list;
    EXPECT_EQ(set.error().code(), EINVAL) << list;
  }
  EXPECT_EQ(CpuSet::parse(" 3-1\n").error().tried(), "parse \"3-1\" as a list of CPUs");
}

TEST(CpuSetParse, RefusesCpusThatItCannotHold) {
  for (const char* list :
       {"1024", "0-1024", "4294967296", "99999999999999999999", "0,4294967295"}) {
    const Result<CpuSet> set = CpuSet::parse(list);
    ASSERT_FALSE(set) << list;
    EXPECT_EQ(set.error().code(), ERANGE) << list;
  }
}

TEST(CpuSetToString, WritesAsTheKernelDoes) {
  EXPECT_EQ(CpuSet().to_string(), "");
  for (const char* list : {"0", "0-1", "0,2", "0-3,8", "62-65", "5,7-9,1023", "0-1023"}) {
    EXPECT_EQ(CpuSet::parse(list).value().to_string(), list);
  }
}

static_assert([] {
  CpuSet set;
  set.set(3);
  return set.test(3) && set.count() == 1 && set.first() == 3 && (set & CpuSet()).empty();
}());

}  // namespace
}  // namespace cppland
