// SPDX-License-Identifier: GPL-2.0-only
// ordered_tasks_test.cc - the smallest key first, also when keys wrap around; ties by arrival.

#include <cppland/task.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cppland {
namespace {

struct MyTask : Task {};

constexpr std::uint64_t kLast = UINT64_MAX;

TEST(OrderedTasks, IsEmptyAtFirst) {
  const OrderedTasks<MyTask> tasks;
  EXPECT_TRUE(tasks.empty());
  EXPECT_EQ(tasks.size(), 0U);
}

TEST(OrderedTasks, GivesBackTheOnlyOne) {
  MyTask task;
  OrderedTasks<MyTask> tasks;
  tasks.insert(task, 5);
  EXPECT_EQ(tasks.size(), 1U);
  EXPECT_EQ(&tasks.first(), &task);
  EXPECT_EQ(tasks.first_key(), 5U);
  EXPECT_EQ(tasks.key_of(task), 5U);
  EXPECT_EQ(&tasks.pop(), &task);
  EXPECT_TRUE(tasks.empty());
}

TEST(OrderedTasks, GivesBackTheSmallestKeyFirst) {
  std::array<MyTask, 4> mine;
  OrderedTasks<MyTask> tasks;
  for (const auto& [number, key] : {std::pair{0U, 30U}, {1U, 10U}, {2U, 40U}, {3U, 20U}}) {
    tasks.insert(mine.at(number), key);
  }
  for (const std::size_t number : {1U, 3U, 0U, 2U}) {
    EXPECT_EQ(&tasks.pop(), &mine.at(number));
  }
}

TEST(OrderedTasks, GivesBackEqualKeysInTheOrderOfInsertion) {
  std::array<MyTask, 5> mine;
  OrderedTasks<MyTask> tasks;
  for (const std::size_t number : {4U, 0U, 3U, 1U, 2U}) {
    tasks.insert(mine.at(number), 7);
  }
  for (const std::size_t number : {4U, 0U, 3U, 1U, 2U}) {
    EXPECT_EQ(&tasks.pop(), &mine.at(number));
  }
}

TEST(OrderedTasks, PutsWhoIsInsertedAgainBehindItsEquals) {
  std::array<MyTask, 2> mine;
  OrderedTasks<MyTask> tasks;
  tasks.insert(mine[0], 7);
  tasks.insert(mine[1], 7);
  tasks.erase(mine[0]);
  tasks.insert(mine[0], 7);
  EXPECT_EQ(&tasks.pop(), &mine[1]);
  EXPECT_EQ(&tasks.pop(), &mine[0]);
}

TEST(OrderedTasks, KeepsTheOrderOfKeysThatWrapAround) {
  std::array<MyTask, 4> mine;
  OrderedTasks<MyTask> tasks;
  tasks.insert(mine[0], 1);
  tasks.insert(mine[1], kLast - 1);
  tasks.insert(mine[2], 0);
  tasks.insert(mine[3], kLast);
  for (const std::size_t number : {1U, 3U, 2U, 0U}) {
    EXPECT_EQ(&tasks.pop(), &mine.at(number));
  }
}

// Neither is before the other then; but whoever was put in must come out.
TEST(OrderedTasks, LosesNobodyWhoseKeyIsHalfTheRangeAway) {
  std::array<MyTask, 3> mine;
  OrderedTasks<MyTask> tasks;
  tasks.insert(mine[0], 0);
  tasks.insert(mine[1], std::uint64_t{1} << 63U);
  tasks.insert(mine[2], 0);
  EXPECT_EQ(tasks.size(), 3U);
  std::vector<MyTask*> popped;
  while (!tasks.empty()) {
    popped.push_back(&tasks.pop());
  }
  EXPECT_TRUE(std::ranges::is_permutation(popped, std::vector{&mine[0], &mine[1], &mine[2]}));
}

TEST(OrderedTasks, TakesOutWhoIsInItAndNobodyElse) {
  std::array<MyTask, 3> mine;
  OrderedTasks<MyTask> tasks;
  tasks.insert(mine[0], 1);
  tasks.insert(mine[1], 2);

  tasks.erase(mine[0]);
  tasks.erase(mine[0]);
  tasks.erase(mine[2]);

  EXPECT_EQ(tasks.size(), 1U);
  EXPECT_EQ(&tasks.pop(), &mine[1]);
}

TEST(OrderedTasks, LetsGoOfItsTasksAtItsEnd) {
  MyTask task;
  {
    OrderedTasks<MyTask> tasks;
    tasks.insert(task, 1);
  }
  OrderedTasks<MyTask> other;
  other.insert(task, 1);
  EXPECT_EQ(other.size(), 1U);
  other.erase(task);
}

// A task may be in one queue of each kind at once.
TEST(OrderedTasks, DoesNotMindATaskQueue) {
  MyTask task;
  OrderedTasks<MyTask> tasks;
  TaskQueue<MyTask> queue;
  tasks.insert(task, 1);
  queue.push(task);
  EXPECT_EQ(&tasks.pop(), &task);
  EXPECT_EQ(&queue.pop(), &task);
}

// One entry of the naive model: a list that is searched from end to end.
struct Entry {
  MyTask* task;
  std::uint64_t distance;  // of its key from the earliest one
};

RC_GTEST_PROP(OrderedTasksProperty, IsASortedListWhereverTheKeysBegin, ()) {
  std::array<MyTask, 24> mine;
  OrderedTasks<MyTask> tasks;
  std::vector<Entry> model;
  const auto base = *rc::gen::arbitrary<std::uint64_t>();
  // Small distances, so that there are ties, and some large ones.
  const auto distance = rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 8),
                                       rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 62U));
  const auto steps =
      *rc::gen::container<std::vector<std::tuple<int, std::size_t, std::uint64_t>>>(rc::gen::tuple(
          rc::gen::inRange(0, 4), rc::gen::inRange<std::size_t>(0, mine.size()), distance));
  for (const auto& [operation, number, far] : steps) {
    MyTask& task = mine.at(number);
    const auto place = std::ranges::find(model, &task, &Entry::task);
    if (operation <= 1 && place == model.end()) {
      tasks.insert(task, base + far);
      const auto behind = std::ranges::upper_bound(model, far, {}, &Entry::distance);
      model.insert(behind, {&task, far});
    } else if (operation == 2) {
      tasks.erase(task);
      if (place != model.end()) {
        model.erase(place);
      }
    } else if (operation == 3 && !model.empty()) {
      RC_ASSERT(&tasks.first() == model.front().task);
      RC_ASSERT(tasks.first_key() == base + model.front().distance);
      RC_ASSERT(&tasks.pop() == model.front().task);
      model.erase(model.begin());
    }
    RC_ASSERT(tasks.size() == model.size());
    RC_ASSERT(tasks.empty() == model.empty());
  }
  for (const Entry& entry : model) {
    RC_ASSERT(&tasks.pop() == entry.task);
  }
}

// Keys that a signed difference cannot order, as a hostile dispatcher may bring about.
RC_GTEST_PROP(OrderedTasksProperty, LosesNobodyWhateverTheKeys, ()) {
  const auto keys = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::map(
      rc::gen::inRange<std::uint64_t>(0, 32), [](std::uint64_t n) { return n << 59U; }));
  std::vector<MyTask> mine(keys.size());
  OrderedTasks<MyTask> tasks;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    tasks.insert(mine[i], keys[i]);
    if (i % 3 == 2) {
      tasks.erase(mine[i - 1]);
    }
  }
  std::vector<const MyTask*> left;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i % 3 != 1 || i + 1 == keys.size()) {
      left.push_back(&mine[i]);
    }
  }
  RC_ASSERT(tasks.size() == left.size());
  std::vector<const MyTask*> popped;
  while (!tasks.empty()) {
    popped.push_back(&tasks.pop());
  }
  RC_ASSERT(std::ranges::is_permutation(popped, left));
}

}  // namespace
}  // namespace cppland
