// SPDX-License-Identifier: GPL-2.0-only
// deadline_test.cc - the deadline policy's arithmetic, number by number.

#include "policies/deadline.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace cppland::policies {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSlice = 20 * kMs;
constexpr std::uint64_t kStart = 77'000'000'000;

// A policy with slices of 20 and 1 ms, one CPU, and tasks to feed it with.
double as_us(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

class DeadlineTest : public ::testing::Test {
 protected:
  using Task = Deadline::Task;

  // What an event says of a task that waits.
  struct News {
    std::uint64_t used_ns = 0;
    std::uint64_t exec_runtime_ns = 0;
    std::uint64_t preempt_ns = 0;
  };

  void ready(Task& task, const News& news) {
    hear(task, news);
    policy_.ready(task, moment_);
    task.first = false;
  }
  void ready(Task& task) { ready(task, {}); }

  std::uint64_t renew(Task& task, const News& news) {
    hear(task, news);
    const std::uint64_t credit = policy_.renew(task, moment_);
    task.first = false;
    return credit;
  }

  Decision next() { return policy_.next(moment_); }

  // Waits, is chosen, and returns the key that it was chosen with. REQUIRES: nobody else waits.
  std::uint64_t key_of(Task& task, const News& news) {
    ready(task, news);
    const Decision decision = next();
    EXPECT_EQ(decision.task, &task);
    return decision.key.value_or(0);
  }
  std::uint64_t key_of(Task& task) { return key_of(task, {}); }

  // The same, and what it was granted.
  std::uint64_t credit_of(Task& task, const News& news) {
    ready(task, news);
    const Decision decision = next();
    EXPECT_EQ(decision.task, &task);
    return decision.wake_credit_ns;
  }

  // Moves the policy's clock to @ns of vtime after where it is.
  void advance_clock(std::uint64_t ns) {
    key_of(pacer_);
    key_of(pacer_, {.used_ns = ns});
    key_of(pacer_);  // it has run from there on
  }

  void pass_time(std::uint64_t ns) { moment_.now_ns += ns; }

  Moment moment_{.now_ns = kStart, .waiting = 1, .nr_cpus = 1};
  std::array<Task, 4> tasks_;
  Task& a_ = tasks_[0];
  Task& b_ = tasks_[1];
  Task& c_ = tasks_[2];
  Task pacer_;
  Deadline policy_{PolicyConfig{.slice_ns = kSlice, .slice_min_ns = kMs, .nr_cpus = 1}};

 private:
  static void hear(Task& task, const News& news) {
    task.used_ns = news.used_ns;
    task.exec_runtime_ns = news.exec_runtime_ns;
    task.preempt_ns = news.preempt_ns;
  }
};

// --- order ---

TEST_F(DeadlineTest, ChoosesNobodyWhenNobodyWaits) { EXPECT_EQ(next().task, nullptr); }

TEST_F(DeadlineTest, StartsNewTasksAtTheClock) {
  const std::uint64_t clock = key_of(a_);
  EXPECT_EQ(key_of(b_), clock);

  advance_clock(30 * kMs);
  EXPECT_EQ(key_of(c_), clock + 30 * kMs);
}

TEST_F(DeadlineTest, TakesNoAccountOfWhatANewTaskDidBefore) {
  const std::uint64_t clock = key_of(a_);
  EXPECT_EQ(key_of(b_, {.used_ns = 500 * kMs}), clock);
}

TEST_F(DeadlineTest, ChargesWhatATaskUsed) {
  const std::uint64_t clock = key_of(a_);
  EXPECT_EQ(key_of(a_, {.used_ns = 3 * kMs}), clock + 3 * kMs);
  EXPECT_EQ(key_of(a_, {.used_ns = 4 * kMs}), clock + 7 * kMs);
}

TEST_F(DeadlineTest, ChargesByWeight) {
  struct Case {
    std::uint32_t weight;
    std::uint64_t charged_ns;
  };
  for (const Case& c :
       {Case{100, 12 * kMs}, {200, 6 * kMs}, {50, 24 * kMs}, {10000, 120'000}, {1, 1200 * kMs}}) {
    Task task;
    task.weight = c.weight;
    const std::uint64_t begin = key_of(task);
    EXPECT_EQ(key_of(task, {.used_ns = 12 * kMs}) - begin, c.charged_ns) << c.weight;
  }
}

TEST_F(DeadlineTest, ClockFollowsWhereTasksBeganToRun) {
  const std::uint64_t clock = key_of(a_);
  key_of(a_, {.used_ns = 8 * kMs});  // began at the clock, is now ahead of it
  EXPECT_EQ(key_of(b_), clock);
  key_of(a_, {.used_ns = kMs});  // began 8 ms later
  EXPECT_EQ(key_of(c_), clock + 8 * kMs);
}

TEST_F(DeadlineTest, ClockNeverGoesBack) {
  const std::uint64_t clock = key_of(a_);
  advance_clock(10 * kMs);
  key_of(a_);  // is behind
  EXPECT_EQ(key_of(b_), clock + 10 * kMs);
}

TEST_F(DeadlineTest, LeavesASleeperAtMostOneSliceBehind) {
  const std::uint64_t clock = key_of(a_);
  key_of(b_);
  advance_clock(kSlice);
  EXPECT_EQ(key_of(a_), clock) << "just one slice";

  advance_clock(1000 * kMs);
  EXPECT_EQ(key_of(a_), clock + 1000 * kMs);
  EXPECT_EQ(key_of(b_), clock + 1000 * kMs);
}

TEST_F(DeadlineTest, DriftsBackWhileItDoesNotSleepByASliceAtMost) {
  const std::uint64_t clock = key_of(a_);
  EXPECT_EQ(key_of(a_, {.exec_runtime_ns = 5 * kMs}), clock + 5 * kMs);
  EXPECT_EQ(key_of(a_, {.exec_runtime_ns = kSlice}), clock + kSlice);
  EXPECT_EQ(key_of(a_, {.exec_runtime_ns = kSlice + 1}), clock + kSlice);
  EXPECT_EQ(key_of(a_, {.exec_runtime_ns = 1000 * kSlice}), clock + kSlice);
  EXPECT_EQ(key_of(a_), clock) << "it has slept";
}

TEST_F(DeadlineTest, DriftsBackByWeight) {
  a_.weight = 200;
  const std::uint64_t clock = key_of(a_);
  EXPECT_EQ(key_of(a_, {.exec_runtime_ns = 10 * kMs}), clock + 5 * kMs);
  b_.weight = 50;
  key_of(b_);
  EXPECT_EQ(key_of(b_, {.exec_runtime_ns = 4 * kMs}), clock + 8 * kMs);
}

TEST_F(DeadlineTest, ChoosesTheEarliestDeadline) {
  for (Task* task : {&a_, &b_, &c_}) {
    key_of(*task);
  }
  ready(a_, {.used_ns = 2 * kMs});
  ready(b_, {.used_ns = kMs, .exec_runtime_ns = 4 * kMs});
  ready(c_, {.used_ns = kMs, .exec_runtime_ns = kMs / 2});

  EXPECT_EQ(next().task, &c_);
  EXPECT_EQ(next().task, &a_);
  EXPECT_EQ(next().task, &b_);
  EXPECT_EQ(next().task, nullptr);
}

TEST_F(DeadlineTest, ServesEqualDeadlinesInTheOrderOfArrival) {
  for (Task* task : {&c_, &a_, &b_}) {
    ready(*task);
  }
  EXPECT_EQ(next().task, &c_);
  EXPECT_EQ(next().task, &a_);
  EXPECT_EQ(next().task, &b_);
}

TEST_F(DeadlineTest, NeverChoosesWhoIsGone) {
  ready(a_);
  ready(b_);
  policy_.gone(a_);
  policy_.gone(c_);  // was not waiting
  EXPECT_EQ(next().task, &b_);
  EXPECT_EQ(next().task, nullptr);
}

TEST_F(DeadlineTest, KeepsItsOrderWhenVtimeWrapsAround) {
  // Brings the clock to just before the wrap, in steps that are the shorter way round.
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 62U;
  const std::uint64_t edge = std::uint64_t{0} - 5 * kMs;
  std::uint64_t clock = key_of(a_);
  for (const std::uint64_t vtime : {clock + kHalf, clock + 2 * kHalf, clock + 3 * kHalf, edge}) {
    a_.vtime = vtime;
    ASSERT_EQ(key_of(a_), vtime);
  }

  key_of(c_);
  ready(a_, {.used_ns = 10 * kMs});  // its vtime is beyond the wrap
  ready(b_, {});                     // starts at the clock, before it
  ready(c_,
        {.used_ns = kMs, .exec_runtime_ns = 7 * kMs});  // its vtime is before, its deadline beyond

  EXPECT_EQ(next().task, &b_);
  EXPECT_EQ(next().task, &c_);
  EXPECT_EQ(next().task, &a_);
  EXPECT_EQ(key_of(a_), edge + 10 * kMs);
  EXPECT_EQ(key_of(b_), edge) << "a sleeper, less than a slice behind, from before the wrap";
  a_.vtime = edge + 100 * kMs;
  key_of(a_);
  EXPECT_EQ(key_of(b_), edge + 80 * kMs) << "and one slice behind, beyond it";
}

// --- slice and CPU ---

TEST_F(DeadlineTest, GivesSlicesByWeight) {
  struct Case {
    std::uint32_t weight;
    std::uint64_t slice_ns;
  };
  for (const Case& c : {Case{100, kMs}, {1, kMs / 100}, {150, kMs * 3 / 2}, {10000, 100 * kMs}}) {
    Task task;
    task.weight = c.weight;
    ready(task);
    EXPECT_EQ(next().slice_ns, c.slice_ns) << c.weight;
  }
}

TEST_F(DeadlineTest, NeverLeavesTheSliceToTheDispatcher) {
  Deadline shortest{PolicyConfig{.slice_min_ns = 50}};
  a_.weight = 1;
  shortest.ready(a_, moment_);
  EXPECT_EQ(shortest.next(moment_).slice_ns, 1U);
}

TEST_F(DeadlineTest, PrefersAnIdleCpu) {
  ready(a_);
  EXPECT_EQ(next().cpu, kAnyIdleCpu);
}

// --- credit ---

TEST_F(DeadlineTest, GivesANewTaskNoCredit) {
  EXPECT_EQ(credit_of(a_, {}), 0U);
  pass_time(1000 * kMs);
  EXPECT_EQ(credit_of(b_, {}), 0U);
}

TEST_F(DeadlineTest, PaysTheFairShare) {
  key_of(a_);
  pass_time(16 * kMs);
  // One CPU, one waits besides the one that runs: the share is half.
  EXPECT_EQ(credit_of(a_, {}), 8 * kMs);

  moment_.waiting = 3;
  pass_time(16 * kMs);
  EXPECT_EQ(credit_of(a_, {}), 12 * kMs);
}

TEST_F(DeadlineTest, PaysByWeight) {
  moment_.waiting = 3;
  for (int i = 0; i < 100; ++i) {
    key_of(pacer_);  // so that the mean weight is 100 again and again
  }
  a_.weight = 50;
  key_of(a_);
  const std::uint64_t mean = (15 * 100 + 50 + 15) / 16;
  pass_time(32 * kMs);
  EXPECT_EQ(credit_of(a_, {}), 32 * kMs * 50 / (4 * mean));
}

TEST_F(DeadlineTest, PaysForNoMoreThanTheTimeThatPassed) {
  moment_.nr_cpus = 8;
  moment_.waiting = 0;
  a_.weight = 10000;
  key_of(a_);
  pass_time(4 * kMs);
  EXPECT_EQ(credit_of(a_, {}), 4 * kMs);
}

TEST_F(DeadlineTest, TakesOffWhatATaskUses) {
  key_of(a_);
  pass_time(16 * kMs);
  ASSERT_EQ(credit_of(a_, {}), 8 * kMs);
  EXPECT_EQ(credit_of(a_, {.used_ns = 2 * kMs}), 6 * kMs);
  pass_time(80 * kMs);  // fills the account, and the purse
  EXPECT_EQ(credit_of(a_, {.used_ns = 50 * kMs}), 0U) << "no debts";
  pass_time(80 * kMs);
  EXPECT_EQ(credit_of(a_, {}), kSlice);
}

TEST_F(DeadlineTest, TakesOffAFeeForItsPreemptions) {
  key_of(a_);
  pass_time(16 * kMs);
  const std::uint64_t clock = key_of(pacer_);
  EXPECT_EQ(credit_of(a_, {.used_ns = 2 * kMs, .preempt_ns = 3 * kMs}), 3 * kMs);
  EXPECT_EQ(key_of(a_), clock + 2 * kMs) << "which is no CPU time";
  // What it was granted and has not used is not on credit.
  EXPECT_EQ(credit_of(a_, {.preempt_ns = 50 * kMs}), 0U) << "no debts";
}

TEST_F(DeadlineTest, NeverHoldsMoreThanASlice) {
  moment_.waiting = 0;
  moment_.nr_cpus = 4;
  key_of(a_);
  pass_time(10'000 * kMs);
  EXPECT_EQ(credit_of(a_, {}), kSlice);
  pass_time(10'000 * kMs);
  EXPECT_EQ(credit_of(a_, {}), kSlice);
}

TEST_F(DeadlineTest, GivesAHogNone) {
  moment_.waiting = 3;
  key_of(a_);
  for (int i = 0; i < 1000; ++i) {
    pass_time(4 * kMs);
    ASSERT_EQ(credit_of(a_, {.used_ns = kMs}), 0U) << "its fair share, all the time";
  }
}

TEST_F(DeadlineTest, GivesNoCreditThatIsNotWorthAPreemption) {
  key_of(a_);
  pass_time(199'998);  // pays 99,999 ns
  EXPECT_EQ(credit_of(a_, {}), 0U);
  pass_time(4);
  EXPECT_GE(credit_of(a_, {}), 100'000U);
}

TEST_F(DeadlineTest, RenewsCreditWithoutPuttingTheTaskInLine) {
  key_of(a_);
  pass_time(16 * kMs);
  ASSERT_EQ(credit_of(a_, {}), 8 * kMs);

  pass_time(16 * kMs);
  // The purse had 80 ms, of which 4 are used now.
  EXPECT_NEAR(as_us(renew(a_, {.used_ns = 4 * kMs})), 8000 + 8000 * 0.95 - 4000, 0.1);
  EXPECT_EQ(next().task, nullptr);
}

TEST_F(DeadlineTest, ChargesWhatARenewedTaskUsed) {
  const std::uint64_t clock = key_of(a_);
  renew(a_, {.used_ns = 4 * kMs});
  EXPECT_EQ(key_of(a_, {.used_ns = kMs}), clock + 5 * kMs);
}

TEST_F(DeadlineTest, RenewsNothingForATaskThatIsNew) {
  advance_clock(100 * kMs);
  EXPECT_EQ(renew(a_, {.used_ns = 4 * kMs}), 0U);
  pass_time(16 * kMs);
  EXPECT_EQ(renew(a_, {}), 8 * kMs);
}

TEST_F(DeadlineTest, GivesWhoDoesNotSleepNone) {
  key_of(a_);
  pass_time(16 * kMs);
  EXPECT_EQ(credit_of(a_, {.exec_runtime_ns = kSlice - 1}), 8 * kMs);
  EXPECT_EQ(credit_of(a_, {.exec_runtime_ns = kSlice}), 0U);
  EXPECT_EQ(credit_of(a_, {.exec_runtime_ns = kMs}), 8 * kMs) << "it keeps what it has";

  a_.weight = 200;
  EXPECT_NE(credit_of(a_, {.exec_runtime_ns = 2 * kSlice - 2}), 0U) << "by weight";
  EXPECT_EQ(credit_of(a_, {.exec_runtime_ns = 2 * kSlice}), 0U);
}

TEST_F(DeadlineTest, PaysLessTheEmptierThePurseIs) {
  key_of(a_);
  key_of(b_);
  pass_time(80 * kMs);
  ASSERT_EQ(credit_of(a_, {}), kSlice);
  ASSERT_EQ(credit_of(a_, {.used_ns = kSlice}), 0U);  // 60 of 80 ms are left
  EXPECT_EQ(credit_of(b_, {}), kSlice) << "40 ms are three quarters of";
  pass_time(4 * kMs);  // 2 ms more
  EXPECT_NEAR(as_us(credit_of(a_, {})), 2000 * 0.775, 0.1);
  EXPECT_NEAR(as_us(credit_of(b_, {.used_ns = kSlice})), 2000 * 0.525, 0.1);
}

TEST_F(DeadlineTest, PaysTheSameOnEveryMachine) {
  for (const std::uint32_t cpus : {1U, 2U, 231U, 1024U}) {
    for (const std::uint64_t slice : {kMs, 20 * kMs, 1000 * kMs}) {
      Deadline policy{PolicyConfig{.slice_ns = slice, .slice_min_ns = kMs, .nr_cpus = cpus}};
      Task task;
      task.weight = 10000;
      moment_ = {.now_ns = kStart, .waiting = 0, .nr_cpus = cpus};
      for (int second = 0; second < 10; ++second) {  // fills the purse
        pass_time(1000 * kMs);
        policy.renew(pacer_, moment_);
        pacer_.first = false;
      }
      policy.ready(task, moment_);
      policy.next(moment_);
      task.first = false;
      const std::uint64_t begin = moment_.now_ns;
      for (int ms = 0; ms < 1000; ms += 7) {
        pass_time(7 * kMs);
        policy.ready(task, moment_);
        const std::uint64_t due = std::min<std::uint64_t>(slice, moment_.now_ns - begin);
        EXPECT_GE(policy.next(moment_).wake_credit_ns, due * 99 / 100)
            << cpus << " CPUs, slice " << slice << " ns";
      }
    }
  }
}

TEST_F(DeadlineTest, GrantsAllTogetherHalfOfTheMachinesTimeAtMost) {
  constexpr std::uint32_t kCpus = 4;
  constexpr std::uint64_t kRounds = 5000;
  constexpr std::uint64_t kSleepers = 200;
  moment_ = {.now_ns = kStart, .waiting = 2, .nr_cpus = kCpus};
  std::vector<std::unique_ptr<Task>> sleepers;
  for (std::uint64_t i = 0; i < kSleepers; ++i) {
    key_of(*sleepers.emplace_back(std::make_unique<Task>()));
  }
  std::uint64_t used = 0;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    pass_time(10 * kMs);
    for (const auto& task : sleepers) {
      const std::uint64_t granted = task->granted_ns;  // each uses all that it may
      used += granted;
      credit_of(*task, {.used_ns = granted});
    }
  }
  constexpr std::uint64_t kHalf = kRounds * 10 * kMs * kCpus / 2;
  EXPECT_LE(used, kHalf + (kCpus + kSleepers) * kSlice) << "but for what they held at once";
  EXPECT_GE(used, kHalf * 9 / 10) << "and no less, if they want it";
}

TEST_F(DeadlineTest, TakesNothingFromTheOthersForWhatAHogIsDue) {
  moment_.waiting = 1;
  key_of(a_);
  key_of(b_);
  for (int i = 0; i < 100; ++i) {
    pass_time(8 * kMs);
    key_of(b_, {.used_ns = 8 * kMs});
  }
  EXPECT_EQ(credit_of(a_, {}), kSlice);
}

}  // namespace
}  // namespace cppland::policies
