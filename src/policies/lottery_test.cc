// SPDX-License-Identifier: GPL-2.0-only
// lottery_test.cc - chances are as the tickets, over many draws.

#include "policies/lottery.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace cppland::policies {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

class LotteryTest : public ::testing::Test {
 protected:
  using Task = Lottery::Task;

  void ready(Task& task, std::uint64_t used_ns = kMs) {
    task.used_ns = used_ns;
    policy_.ready(task, {});
    task.first = false;
  }

  // Draws again and again, each winner using what it is given; returns who won how often.
  std::array<double, 3> draw(int times, const std::array<std::uint64_t, 3>& used_ns) {
    std::array<double, 3> wins{};
    for (Task& task : tasks_) {
      ready(task);
    }
    for (int i = 0; i < times; ++i) {
      auto& winner = static_cast<Task&>(*policy_.next({}).task);
      const auto which = static_cast<std::size_t>(&winner - tasks_.data());
      wins.at(which) += 1.0 / times;
      ready(winner, used_ns.at(which));
    }
    return wins;
  }

  std::array<Task, 3> tasks_;
  Lottery policy_{PolicyConfig{.slice_min_ns = kMs}};
};

TEST_F(LotteryTest, ChoosesNobodyWhenNobodyWaits) {
  EXPECT_EQ(policy_.next({}).task, nullptr);
  ready(tasks_[0]);
  policy_.gone(tasks_[0]);
  policy_.gone(tasks_[1]);  // was not waiting
  EXPECT_EQ(policy_.next({}).task, nullptr);
}

TEST_F(LotteryTest, DrawsByTickets) {
  tasks_[1].weight = 300;
  tasks_[2].weight = 600;
  const auto wins = draw(20'000, {kMs, kMs, kMs});
  EXPECT_NEAR(wins[0], 0.1, 0.01);
  EXPECT_NEAR(wins[1], 0.3, 0.015);
  EXPECT_NEAR(wins[2], 0.6, 0.015);
}

// Of 20,000 draws among three, two in a row go to the same one in a third of all cases.
TEST_F(LotteryTest, HasNoMemory) {
  for (Task& task : tasks_) {
    ready(task);
  }
  const Task* last = nullptr;
  int again = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto& winner = static_cast<Task&>(*policy_.next({}).task);
    again += &winner == last;
    last = &winner;
    ready(winner);
  }
  EXPECT_NEAR(again / 20'000.0, 1.0 / 3, 0.015);
}

TEST_F(LotteryTest, CompensatesWhoUsesLittleOfItsTurn) {
  const auto wins = draw(20'000, {kMs, kMs / 4, kMs});
  EXPECT_NEAR(wins[1] / wins[0], 4.0, 0.3);
  EXPECT_NEAR(wins[2] / wins[0], 1.0, 0.1);
}

TEST_F(LotteryTest, IsTheSameEveryTime) {
  Lottery other{PolicyConfig{.slice_min_ns = kMs}};
  std::deque<Task> twins(tasks_.size());
  for (std::size_t i = 0; i < 3; ++i) {
    ready(tasks_.at(i));
    other.ready(twins[i], {});
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(policy_.next({}).key, other.next({}).key);
  }
}

TEST_F(LotteryTest, GivesTurnsOfOneLengthAndNoCredit) {
  tasks_[0].weight = 700;
  ready(tasks_[0]);
  const Decision decision = policy_.next({});
  EXPECT_EQ(decision.slice_ns, kMs);
  EXPECT_EQ(decision.wake_credit_ns, 0U);
}

}  // namespace
}  // namespace cppland::policies
