// SPDX-License-Identifier: GPL-2.0-only
// unique_handle_test.cc - what is owned is closed once, whatever is moved where.

#include "base/unique_handle.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <type_traits>
#include <utility>
#include <vector>

namespace cppland {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int>& closed() {
  static std::vector<int> numbers;
  return numbers;
}

struct RecordingTraits {
  using Handle = int;
  static int invalid() noexcept { return 0; }
  static void close(int handle) noexcept { closed().push_back(handle); }
};

using Handle = UniqueHandle<RecordingTraits>;

static_assert(!std::is_copy_constructible_v<Handle> && !std::is_copy_assignable_v<Handle>);
static_assert(std::is_nothrow_move_constructible_v<Handle>);
static_assert(std::is_nothrow_move_assignable_v<Handle>);

class UniqueHandleTest : public ::testing::Test {
 protected:
  void SetUp() override { closed().clear(); }
};

TEST_F(UniqueHandleTest, ClosesNothingWhenItHoldsNothing) {
  {
    const Handle handle;
    EXPECT_FALSE(handle);
  }
  EXPECT_THAT(closed(), IsEmpty());
}

TEST_F(UniqueHandleTest, ClosesOnceAtTheEnd) {
  {
    const Handle handle(7);
    EXPECT_TRUE(handle);
    EXPECT_EQ(handle.get(), 7);
    EXPECT_THAT(closed(), IsEmpty());
  }
  EXPECT_THAT(closed(), ElementsAre(7));
}

TEST_F(UniqueHandleTest, MoveConstructionMovesTheDuty) {
  {
    Handle from(7);
    const Handle to(std::move(from));
    EXPECT_EQ(to.get(), 7);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
  }
  EXPECT_THAT(closed(), ElementsAre(7));
}

TEST_F(UniqueHandleTest, MoveAssignmentClosesWhatWasHeld) {
  {
    Handle to(1);
    Handle from(2);
    to = std::move(from);
    EXPECT_THAT(closed(), ElementsAre(1));
    EXPECT_EQ(to.get(), 2);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
  }
  EXPECT_THAT(closed(), ElementsAre(1, 2));
}

TEST_F(UniqueHandleTest, SelfMoveChangesNothing) {
  {
    Handle handle(7);
    Handle& same = handle;
    handle = std::move(same);
    EXPECT_EQ(handle.get(), 7);
    EXPECT_THAT(closed(), IsEmpty());
  }
  EXPECT_THAT(closed(), ElementsAre(7));
}

TEST_F(UniqueHandleTest, ReleaseGivesUpOwnership) {
  {
    Handle handle(7);
    EXPECT_EQ(handle.release(), 7);
    EXPECT_FALSE(handle);
  }
  EXPECT_THAT(closed(), IsEmpty());
}

TEST_F(UniqueHandleTest, ResetClosesAndHoldsTheNext) {
  {
    Handle handle(1);
    handle.reset(2);
    EXPECT_THAT(closed(), ElementsAre(1));
    handle.reset();
    EXPECT_THAT(closed(), ElementsAre(1, 2));
    EXPECT_FALSE(handle);
  }
  EXPECT_THAT(closed(), ElementsAre(1, 2));
}

TEST(UniqueFd, ClosesItsDescriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reader(ends[0]);
  {
    const UniqueFd writer(ends[1]);
    EXPECT_NE(::fcntl(writer.get(), F_GETFD), -1);
  }
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 0);  // end of file: nobody can write any more
}

}  // namespace
}  // namespace cppland
