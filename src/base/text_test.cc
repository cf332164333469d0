// SPDX-License-Identifier: GPL-2.0-only
// text_test.cc - numbers are read whole and exact, or not at all.

#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace cppland {
namespace {

TEST(Trim, TakesWhiteSpaceOffBothEndsOnly) {
  EXPECT_EQ(trim(" \t a b\n"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(ParseInt, ReadsAsSysfsWrites) {
  EXPECT_EQ(parse_int<int>("42\n"), 42);
  EXPECT_EQ(parse_int<int>("-1\n"), -1);
  EXPECT_EQ(parse_int<std::uint64_t>("18446744073709551615"), UINT64_MAX);
}

TEST(ParseInt, RefusesWhatIsNoNumber) {
  for (const char* text : {"", " ", "x", "1x", "1 2", "0x10", "1.5", "+1", "--1", "-"}) {
    const Result<int> number = parse_int<int>(text);
    ASSERT_FALSE(number) << text;
    EXPECT_EQ(number.error().code(), EINVAL) << text;
  }
  EXPECT_EQ(parse_int<unsigned>("-1").error().code(), EINVAL);
  EXPECT_EQ(parse_int<int>(" 1x ").error().tried(), "parse \"1x\" as a number");
}

TEST(ParseInt, RefusesWhatDoesNotFit) {
  EXPECT_EQ(parse_int<std::int8_t>("127"), 127);
  EXPECT_EQ(parse_int<std::int8_t>("128").error().code(), ERANGE);
  EXPECT_EQ(parse_int<std::int8_t>("-128"), -128);
  EXPECT_EQ(parse_int<std::int8_t>("-129").error().code(), ERANGE);
  EXPECT_EQ(parse_int<std::uint64_t>("18446744073709551616").error().code(), ERANGE);
}

}  // namespace
}  // namespace cppland
