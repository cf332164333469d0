// SPDX-License-Identifier: GPL-2.0-only
// policy_test.cc - what counts as a policy, and the example in policy.h.

#include <cppland/cppland.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace cppland {
namespace {

// The example of policy.h, letter by letter.
struct Fifo {
  struct Task : cppland::Task {};
  explicit Fifo(const cppland::PolicyConfig&) {}
  void ready(Task& task, const cppland::Moment&) { queue.push(task); }
  void gone(Task& task) { queue.erase(task); }
  cppland::Decision next(const cppland::Moment&) {
    return {.task = queue.empty() ? nullptr : &queue.pop()};
  }
  cppland::TaskQueue<Task> queue;
};
static_assert(Policy<Fifo>);
static_assert(!RenewingPolicy<Fifo>);
static_assert(!kIsStrict<Fifo>);

struct Strict : Fifo {
  using Fifo::Fifo;
  static constexpr bool kStrict = true;
};
static_assert(kIsStrict<Strict>);

struct Lax : Fifo {
  using Fifo::Fifo;
  static constexpr bool kStrict = false;
};
static_assert(!kIsStrict<Lax>);

struct Renewing : Fifo {
  using Fifo::Fifo;
  std::uint64_t renew(Task&, const Moment&) { return 0; }
};
static_assert(RenewingPolicy<Renewing>);

struct WithoutTask {
  explicit WithoutTask(const PolicyConfig&) {}
  void ready(cppland::Task&, const Moment&) {}
  void gone(cppland::Task&) {}
  Decision next(const Moment&) { return {}; }
};
static_assert(!Policy<WithoutTask>);

struct WithForeignTask : WithoutTask {
  struct Task {};
  using WithoutTask::WithoutTask;
};
static_assert(!Policy<WithForeignTask>);

struct WithoutConfig {
  using Task = cppland::Task;
  void ready(Task&, const Moment&) {}
  void gone(Task&) {}
  Decision next(const Moment&) { return {}; }
};
static_assert(!Policy<WithoutConfig>);

struct WithoutDecision {
  using Task = cppland::Task;
  explicit WithoutDecision(const PolicyConfig&) {}
  void ready(Task&, const Moment&) {}
  void gone(Task&) {}
  Task* next(const Moment&) { return nullptr; }
};
static_assert(!Policy<WithoutDecision>);

TEST(PolicyEntry, MakesAHostOfThePolicy) {
  constexpr PolicyEntry kEntry = policy_entry<Strict>("mine", "what it does");
  EXPECT_EQ(kEntry.name, "mine");
  EXPECT_EQ(kEntry.summary, "what it does");
  const auto runner = kEntry.make({});
  EXPECT_TRUE(runner->strict());
  EXPECT_EQ(runner->waiting(), 0U);
}

TEST(Task, HasANameOfUpToSixteenCharacters) {
  const Task task;
  EXPECT_EQ(task.comm(), "");
}

}  // namespace
}  // namespace cppland
