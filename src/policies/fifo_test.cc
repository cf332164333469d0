// SPDX-License-Identifier: GPL-2.0-only
// fifo_test.cc - first come, first served, in slices of a shared round.

#include "policies/fifo.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace cppland::policies {
namespace {

class FifoTest : public ::testing::Test {
 protected:
  void ready(std::size_t i) { fifo_.ready(tasks_.at(i), {}); }

  // The numbers of the tasks that the policy chooses until it has none.
  std::vector<std::ptrdiff_t> chosen() {
    std::vector<std::ptrdiff_t> numbers;
    while (const Task* task = fifo_.next({}).task) {
      numbers.push_back(static_cast<const Fifo::Task*>(task) - tasks_.data());
    }
    return numbers;
  }

  std::array<Fifo::Task, 4> tasks_;
  Fifo fifo_{PolicyConfig{}};
};

TEST_F(FifoTest, ChoosesNobodyWhenNobodyWaits) { EXPECT_EQ(fifo_.next({}).task, nullptr); }

TEST_F(FifoTest, ChoosesTheOnlyOneOnce) {
  ready(2);
  EXPECT_EQ(chosen(), (std::vector<std::ptrdiff_t>{2}));
}

TEST_F(FifoTest, ChoosesInTheOrderOfArrival) {
  for (const std::size_t i : {3U, 0U, 2U, 1U}) {
    ready(i);
  }
  EXPECT_EQ(chosen(), (std::vector<std::ptrdiff_t>{3, 0, 2, 1}));
}

TEST_F(FifoTest, PutsWhoeverComesAgainBehindTheOthers) {
  ready(0);
  ready(1);
  ASSERT_EQ(fifo_.next({}).task, &tasks_[0]);
  ready(0);
  EXPECT_EQ(chosen(), (std::vector<std::ptrdiff_t>{1, 0}));
}

TEST_F(FifoTest, NeverChoosesWhoIsGone) {
  for (const std::size_t i : {0U, 1U, 2U}) {
    ready(i);
  }
  fifo_.gone(tasks_[1]);
  fifo_.gone(tasks_[3]);  // was not waiting
  EXPECT_EQ(chosen(), (std::vector<std::ptrdiff_t>{0, 2}));
}

TEST_F(FifoTest, SharesARoundOfFiveMillisecondsAmongAllThatWait) {
  struct Case {
    std::uint32_t waiting;
    std::uint64_t slice_ns;
  };
  for (const Case& c : {Case{0, 5'000'000}, {1, 2'500'000}, {4, 1'000'000}, {4999, 1'000}}) {
    ready(0);
    EXPECT_EQ(fifo_.next({.waiting = c.waiting}).slice_ns, c.slice_ns) << c.waiting;
  }
}

TEST_F(FifoTest, AsksForNothingElse) {
  ready(0);
  const Decision decision = fifo_.next({});
  EXPECT_FALSE(decision.key);
  EXPECT_EQ(decision.cpu, kAnyCpu);
  EXPECT_EQ(decision.wake_credit_ns, 0U);
}

}  // namespace
}  // namespace cppland::policies
