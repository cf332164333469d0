// SPDX-License-Identifier: GPL-2.0-only
// eevdf_test.cc - deadlines by weight, eligibility by lag.

#include "policies/eevdf.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace cppland::policies {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSec = 1'000'000'000;

constexpr std::uint64_t kSlice = 20 * kMs;

class EevdfTest : public ::testing::Test {
 protected:
  using Task = Eevdf::Task;

  void ready(Task& task, std::uint64_t used_ns = 0) {
    task.used_ns = used_ns;
    policy_.ready(task, moment_);
    task.first = false;
  }

  // Waits, is chosen, and returns its key. REQUIRES: nobody else waits.
  std::uint64_t key_of(Task& task, std::uint64_t used_ns = 0) {
    ready(task, used_ns);
    const Decision decision = policy_.next(moment_);
    EXPECT_EQ(decision.task, &task);
    return decision.key.value_or(0);
  }

  Moment moment_{.now_ns = kSec, .waiting = 1, .nr_cpus = 1};
  std::array<Task, 3> tasks_;
  Task& a_ = tasks_[0];
  Task& b_ = tasks_[1];
  Task& c_ = tasks_[2];
  Eevdf policy_{PolicyConfig{.slice_ns = kSlice, .slice_min_ns = kMs, .nr_cpus = 1}};
};

TEST_F(EevdfTest, ChoosesNobodyWhenNobodyWaits) {
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
  ready(a_);
  policy_.gone(a_);
  policy_.gone(b_);  // was not waiting
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
}

TEST_F(EevdfTest, GivesNewTasksADeadlineOfOneSliceByWeight) {
  b_.weight = 200;
  c_.weight = 50;
  const std::uint64_t deadline = key_of(a_);
  EXPECT_EQ(key_of(b_), deadline - kMs / 2);
  EXPECT_EQ(key_of(c_), deadline + kMs);
}

TEST_F(EevdfTest, ChoosesTheEarliestDeadlineFirst) {
  a_.weight = 50;
  b_.weight = 400;
  for (Task& task : tasks_) {
    ready(task);
  }
  EXPECT_EQ(policy_.next(moment_).task, &b_);
  EXPECT_EQ(policy_.next(moment_).task, &c_);
  EXPECT_EQ(policy_.next(moment_).task, &a_);
}

TEST_F(EevdfTest, AsksForOneSliceForEverybodyAndForNoCredit) {
  a_.weight = 300;
  ready(a_);
  const Decision decision = policy_.next(moment_);
  EXPECT_EQ(decision.slice_ns, kMs);
  EXPECT_EQ(decision.wake_credit_ns, 0U);
}

// The light one's deadline is 20 ms of vruntime away; the heavy one has had a slice more than it.
TEST_F(EevdfTest, PutsWhoIsAheadOfTheAverageBehindWhoIsEligible) {
  b_.weight = 5;
  ready(a_);
  policy_.next(moment_);
  ready(b_);
  ready(a_, 4 * kMs);
  EXPECT_EQ(policy_.next(moment_).task, &b_);
}

TEST_F(EevdfTest, PutsWhoIsBehindTheAverageAheadAgain) {
  b_.weight = 5;
  key_of(c_);
  key_of(a_);
  for (int i = 0; i < 8; ++i) {
    key_of(c_, kMs);  // the average moves on without the other
  }
  ready(b_);
  ready(a_, 10 * kUs);
  EXPECT_EQ(policy_.next(moment_).task, &a_);
}

TEST_F(EevdfTest, OwesASleeperNoMoreThanASlice) {
  key_of(a_);
  key_of(b_);
  for (int i = 0; i < 1000; ++i) {
    key_of(b_, kMs);
  }
  ready(a_);
  ready(c_);  // new: at the average
  const std::uint64_t slept = policy_.next(moment_).key.value_or(0);
  const std::uint64_t fresh = policy_.next(moment_).key.value_or(0);
  EXPECT_GE(slept, fresh - kSlice - kMs);
  EXPECT_LE(slept, fresh - kSlice + 2 * kMs);
}

}  // namespace
}  // namespace cppland::policies
