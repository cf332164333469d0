// SPDX-License-Identifier: GPL-2.0-only
// scope_test.cc - Finally acts once, at the end, unless dismissed.

#include "base/scope.h"

#include <gtest/gtest.h>

namespace cppland {
namespace {

TEST(Finally, ActsAtTheEndOfTheScope) {
  int acted = 0;
  {
    const Finally count([&] { ++acted; });
    EXPECT_EQ(acted, 0);
  }
  EXPECT_EQ(acted, 1);
}

TEST(Finally, DoesNothingOnceDismissed) {
  int acted = 0;
  {
    Finally count([&] { ++acted; });
    count.dismiss();
  }
  EXPECT_EQ(acted, 0);
}

}  // namespace
}  // namespace cppland
