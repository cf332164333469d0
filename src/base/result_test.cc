// SPDX-License-Identifier: GPL-2.0-only
// result_test.cc - errors keep their code, their words and their place.

#include "base/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <tuple>

namespace cppland {
namespace {

using ::testing::EndsWith;

constexpr unsigned kErrorLine = __LINE__ + 4;

Result<int> half(int number) {
  if (number % 2 != 0) {
    return error(EDOM, "halve {}", number);
  }
  return number / 2;
}

Result<int> quarter(int number) {
  const int once = CPPLAND_TRY(context(half(number), "first half of {}", number));
  return CPPLAND_TRY(context(half(once), "second half of {}", number));
}

Result<void> check_even(int number) {
  std::ignore = CPPLAND_TRY(half(number));
  return {};
}

Result<void> check_both(int a, int b) {
  CPPLAND_TRY(check_even(a));
  CPPLAND_TRY(check_even(b));
  return {};
}

TEST(Error, CarriesCodeAndWordsAndPlace) {
  const Result<int> failed = half(3);

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), EDOM);
  EXPECT_EQ(failed.error().tried(), "halve 3");
  EXPECT_EQ(failed.error().message(), "halve 3: Numerical argument out of domain");
  EXPECT_THAT(failed.error().where().file_name(), EndsWith("base/result_test.cc"));
  EXPECT_EQ(failed.error().where().line(), kErrorLine);
}

TEST(Error, TakesNegativeCodesAsTheKernelReturnsThem) {
  const Result<void> failed = error(-ENOENT, "look");
  EXPECT_EQ(failed.error().code(), ENOENT);
}

TEST(Error, CanBeFormatted) {
  EXPECT_EQ(fmt::format("[{}]", half(1).error()), "[halve 1: Numerical argument out of domain]");
}

TEST(Context, ComesFirstAndLeavesCodeAndPlace) {
  const Result<int> failed = context(context(half(3), "inner"), "outer {}", 7);

  EXPECT_EQ(failed.error().tried(), "outer 7: inner: halve 3");
  EXPECT_EQ(failed.error().code(), EDOM);
  EXPECT_EQ(failed.error().where().line(), kErrorLine);
}

TEST(Context, LeavesSuccessAlone) { EXPECT_EQ(context(half(4), "unused"), 2); }

TEST(Try, YieldsTheValue) { EXPECT_EQ(quarter(8), 2); }

TEST(Try, ReturnsTheFirstError) {
  EXPECT_EQ(quarter(3).error().tried(), "first half of 3: halve 3");
  EXPECT_EQ(quarter(6).error().tried(), "second half of 6: halve 3");
}

TEST(Try, WorksWithoutValue) {
  EXPECT_TRUE(check_both(2, 4));
  EXPECT_EQ(check_both(2, 3).error().tried(), "halve 3");
  EXPECT_EQ(check_both(1, 3).error().tried(), "halve 1");
}

TEST(Try, MovesWhatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto add_one = [&]() -> Result<int> {
    const std::unique_ptr<int> made = CPPLAND_TRY(make());
    return *made + 1;
  };
  EXPECT_EQ(add_one(), 6);
}

TEST(Try, LeavesANamedResultUsable) {
  const auto twice = [](const Result<std::string>& text) -> Result<std::string> {
    const std::string once = CPPLAND_TRY(text);
    return once + *text;
  };
  EXPECT_EQ(twice("ab"), "abab");
  EXPECT_FALSE(twice(error(EINVAL, "nothing")));
}

// Counts its living objects.
struct Counted {
  explicit Counted(int& counter) : living(counter) { ++living; }
  Counted(const Counted& other) : living(other.living) { ++living; }
  Counted& operator=(const Counted&) = delete;
  Counted(Counted&&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --living; }

  int& living;
};

TEST(Try, DestroysTheTemporariesOfALargerExpression) {
  int living = 0;
  const auto sum = [](const Counted& /*left*/, int number, const Counted& /*right*/) {
    return number;
  };
  const auto run = [&](int number) -> Result<int> {
    return sum(Counted(living), CPPLAND_TRY(half(number)), Counted(living));
  };

  EXPECT_EQ(run(2), 1);
  EXPECT_EQ(living, 0);
  EXPECT_FALSE(run(1));
  EXPECT_EQ(living, 0);
}

}  // namespace
}  // namespace cppland
