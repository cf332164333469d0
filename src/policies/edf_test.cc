// SPDX-License-Identifier: GPL-2.0-only
// edf_test.cc - periods are learnt, deadlines kept, and what is left is shared.

#include "policies/edf.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace cppland::policies {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSec = 1'000'000'000;

constexpr std::uint64_t kFar = 50 * kMs;

class EdfTest : public ::testing::Test {
 protected:
  using Task = Edf::Task;

  void ready(Task& task, std::uint64_t used_ns, bool woke) {
    task.used_ns = used_ns;
    task.woke = woke;
    if (woke) task.ready_ns = moment_.now_ns;
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

  // Wakes up so often, with such pauses. The last wake-up is now.
  Decision wake_up(Task& task, int times, std::uint64_t period_ns) {
    Decision last;
    for (int i = 0; i < times; ++i) {
      moment_.now_ns += period_ns;
      last = run(task, kMs, true);
    }
    return last;
  }

  Moment moment_{.now_ns = 100 * kSec, .waiting = 1, .nr_cpus = 1};
  std::array<Task, 3> tasks_;
  Task& a_ = tasks_[0];
  Task& b_ = tasks_[1];
  Task& c_ = tasks_[2];
  Edf policy_{PolicyConfig{.slice_min_ns = kMs}};
};

TEST_F(EdfTest, ChoosesNobodyWhenNobodyWaits) {
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
  ready(a_, 0, false);
  policy_.gone(a_);
  policy_.gone(b_);  // was not waiting
  EXPECT_EQ(policy_.next(moment_).task, nullptr);
}

TEST_F(EdfTest, LearnsAPeriodFromRegularWakeUps) {
  const Decision decision = wake_up(a_, 40, 16 * kMs);
  EXPECT_EQ(decision.key, moment_.now_ns + 16 * kMs);
}

TEST_F(EdfTest, LearnsItThoughSomeWakeUpsAreNotHeardOf) {
  wake_up(a_, 20, 16 * kMs);
  for (int i = 0; i < 10; ++i) {
    wake_up(a_, 1, 48 * kMs);
    wake_up(a_, 1, 16 * kMs);
  }
  const Decision decision = wake_up(a_, 1, 80 * kMs);
  EXPECT_EQ(decision.key, moment_.now_ns + 16 * kMs);
}

TEST_F(EdfTest, FollowsAPeriodThatChanges) {
  wake_up(a_, 40, 16 * kMs);
  const Decision decision = wake_up(a_, 60, 5 * kMs);
  EXPECT_NEAR(static_cast<double>(decision.key.value_or(0) - moment_.now_ns), 5e6, 1e5);
}

TEST_F(EdfTest, TakesNoIrregularWakeUpsForAPeriod) {
  std::uint64_t pause = 1;
  for (int i = 0; i < 200; ++i) {
    pause = pause * 75 % 65537;  // from 1 to 65,536
    const Decision decision = wake_up(a_, 1, kMs + pause * 500);
    if (i > 20) {
      EXPECT_GE(decision.key, moment_.now_ns + kFar) << i;
    }
  }
}

TEST_F(EdfTest, KeepsThePeriodOverAPause) {
  wake_up(a_, 40, 16 * kMs);
  const Decision decision = wake_up(a_, 1, 7 * kSec);
  EXPECT_EQ(decision.key, moment_.now_ns + 16 * kMs);
}

TEST_F(EdfTest, ChoosesTheEarliestDeadlineFirst) {
  wake_up(a_, 40, 16 * kMs);
  wake_up(b_, 40, 5 * kMs);
  ready(c_, 0, false);
  moment_.now_ns += 16 * kMs;
  ready(a_, kMs, true);
  ready(b_, kMs, true);
  for (const Task* expected : {&b_, &a_, &c_}) {
    EXPECT_EQ(policy_.next(moment_).task, expected);
  }
}

TEST_F(EdfTest, KeepsTheDeadlineUntilItHasPassed) {
  wake_up(a_, 40, 16 * kMs);
  const std::uint64_t deadline = moment_.now_ns + 16 * kMs;
  moment_.now_ns += 8 * kMs;
  EXPECT_EQ(run(a_, 8 * kMs).key, deadline);
  moment_.now_ns += 8 * kMs;
  EXPECT_GE(run(a_, 8 * kMs).key, deadline + kFar) << "it is late, and like anybody else";
}

TEST_F(EdfTest, GivesAHogItsFairTurnAndMore) {
  run(a_);
  EXPECT_EQ(run(b_).key, moment_.now_ns + kFar);
  EXPECT_EQ(run(b_, 4 * kMs).key, moment_.now_ns + kFar + 8 * kMs) << "of two, it has every other";
  c_.weight = 50;
  run(c_);
  EXPECT_GE(run(c_, 4 * kMs).key, moment_.now_ns + kFar + 15 * kMs);
}

TEST_F(EdfTest, GivesCreditToWhoHasAPeriodOnly) {
  EXPECT_EQ(run(a_).wake_credit_ns, 0U);
  wake_up(a_, 40, 16 * kMs);
  a_.used_ns = 2 * kMs;
  EXPECT_EQ(policy_.renew(a_, moment_), 4 * kMs);
  EXPECT_EQ(run(a_, kMs).wake_credit_ns, 4 * kMs);
}

TEST_F(EdfTest, GivesNoMoreCreditThanThePurseHas) {
  wake_up(a_, 40, 16 * kMs);
  std::uint64_t granted = 0;
  for (int i = 0; i < 100; ++i) {
    granted += run(a_, 4 * kMs).wake_credit_ns;
  }
  EXPECT_LE(granted, 50 * kMs);
  EXPECT_EQ(run(a_, 4 * kMs).wake_credit_ns, 0U);
  moment_.now_ns += 2 * kMs;
  EXPECT_EQ(run(a_, 4 * kMs).wake_credit_ns, kMs) << "half of the time that has passed";
}

}  // namespace
}  // namespace cppland::policies
