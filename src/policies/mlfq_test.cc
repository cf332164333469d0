// SPDX-License-Identifier: GPL-2.0-only
// mlfq_test.cc - up and down the levels, the boost, and what the top level may take.

#include "policies/mlfq.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <numeric>

namespace cppland::policies {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSec = 1'000'000'000;

class MlfqTest : public ::testing::Test {
 protected:
  using Task = Mlfq::Task;

  void ready(Task& task, std::uint64_t used_ns = 0, bool woke = false) {
    task.used_ns = used_ns;
    task.woke = woke;
    policy_.ready(task, moment_);
    task.first = false;
  }

  // Waits and is chosen. REQUIRES: nobody else waits.
  Decision run(Task& task, std::uint64_t used_ns = 0, bool woke = false) {
    ready(task, used_ns, woke);
    const Decision decision = policy_.next(moment_);
    EXPECT_EQ(decision.task, &task);
    return decision;
  }

  Moment moment_{.now_ns = 10 * kSec, .waiting = 1, .nr_cpus = 1};
  std::array<Task, 3> tasks_;
  Task& a_ = tasks_[0];
  Task& b_ = tasks_[1];
  Task& c_ = tasks_[2];
  Mlfq policy_{PolicyConfig{.slice_min_ns = kMs}};
};

TEST_F(MlfqTest, ChoosesNobodyWhenNobodyWaits) {
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
  ready(a_);
  policy_.gone(a_);
  policy_.gone(b_);  // was not waiting
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
}

TEST_F(MlfqTest, ServesALevelInTheOrderOfArrival) {
  ready(b_);
  ready(a_);
  ready(c_);
  for (const Task* expected : {&b_, &a_, &c_}) {
    EXPECT_EQ(policy_.next(moment_).task, expected);
  }
}

TEST_F(MlfqTest, SendsWhoUsesUpItsAllotmentDownToSlicesOfTwiceTheLength) {
  EXPECT_EQ(run(a_).slice_ns, kMs);
  EXPECT_EQ(run(a_, 3 * kMs).slice_ns, kMs) << "not used up";
  EXPECT_EQ(run(a_, kMs).slice_ns, 2 * kMs);
  EXPECT_EQ(run(a_, 7 * kMs).slice_ns, 2 * kMs);
  EXPECT_EQ(run(a_, kMs).slice_ns, 4 * kMs);
  EXPECT_EQ(run(a_, 16 * kMs).slice_ns, 8 * kMs);
  EXPECT_EQ(run(a_, 32 * kMs).slice_ns, 16 * kMs);
  EXPECT_EQ(run(a_, 64 * kMs).slice_ns, 16 * kMs) << "the lowest level";
}

TEST_F(MlfqTest, ServesUpperLevelsFirst) {
  run(a_);
  ready(a_, 4 * kMs);  // goes down
  ready(b_);
  EXPECT_EQ(policy_.next(moment_).task, &b_);
  EXPECT_EQ(policy_.next(moment_).task, &a_);
}

TEST_F(MlfqTest, LiftsWhoHasSlept) {
  run(a_);
  run(a_, 4 * kMs);
  EXPECT_EQ(run(a_, kMs, true).slice_ns, kMs);
}

TEST_F(MlfqTest, DoesNotLiftAHogThatSleepsShortly) {
  run(a_);
  for (int i = 0; i < 31; ++i) {
    EXPECT_EQ(run(a_, 4 * kMs, true).slice_ns, kMs) << i;
  }
  EXPECT_EQ(run(a_, 4 * kMs, true).slice_ns, 2 * kMs) << "a quarter of the time between boosts";
}

TEST_F(MlfqTest, LiftsEverybodyWithTheBoost) {
  run(a_);
  EXPECT_GT(run(a_, 100 * kMs).slice_ns, kMs);
  moment_.now_ns += kSec / 2;
  EXPECT_EQ(run(a_, 100 * kMs).slice_ns, kMs);
}

TEST_F(MlfqTest, PutsWhoHasWaitedSinceBeforeTheBoostFirst) {
  run(a_);
  ready(a_, 100 * kMs);
  moment_.now_ns += kSec / 2;
  ready(b_);
  EXPECT_EQ(policy_.next(moment_).task, &a_);
}

TEST_F(MlfqTest, GivesCreditToTheTopLevelOnly) {
  EXPECT_EQ(run(a_).wake_credit_ns, 4 * kMs);
  EXPECT_EQ(run(a_, 4 * kMs).wake_credit_ns, 0U);
  a_.used_ns = 0;
  a_.woke = true;
  EXPECT_EQ(policy_.renew(a_, moment_), 4 * kMs);
}

TEST_F(MlfqTest, GivesHalfOfTheMachineAsCreditAtMost) {
  std::array<Task, 100> many;
  const auto granted = [&] {
    return std::accumulate(many.begin(), many.end(), std::uint64_t{0}, [&](auto sum, Task& task) {
      return sum + run(task, 4 * kMs, true).wake_credit_ns;
    });
  };
  EXPECT_EQ(granted(), 250 * kMs);
  moment_.now_ns += kSec / 2;
  EXPECT_EQ(granted(), 250 * kMs);
}

TEST_F(MlfqTest, TakesBackCreditThatWasNotUsed) {
  run(a_);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(run(a_, 10 * kUs, true).wake_credit_ns, 4 * kMs) << i;
  }
}

}  // namespace
}  // namespace cppland::policies
