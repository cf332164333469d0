// SPDX-License-Identifier: GPL-2.0-only
// task_queue_test.cc - first in, first out, and out of the middle.

#include <cppland/task.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <vector>

namespace cppland {
namespace {

struct MyTask : Task {};

TEST(TaskQueue, IsEmptyAtFirst) {
  const TaskQueue<MyTask> queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0U);
}

TEST(TaskQueue, GivesBackTheOnlyOne) {
  MyTask task;
  TaskQueue<MyTask> queue;
  queue.push(task);
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(&queue.pop(), &task);
  EXPECT_TRUE(queue.empty());
}

TEST(TaskQueue, GivesBackInTheOrderOfArrival) {
  std::array<MyTask, 3> tasks;
  TaskQueue<MyTask> queue;
  for (MyTask& task : tasks) {
    queue.push(task);
  }
  for (MyTask& task : tasks) {
    EXPECT_EQ(&queue.pop(), &task);
  }
}

TEST(TaskQueue, TakesOutWhoIsInItAndNobodyElse) {
  std::array<MyTask, 3> tasks;
  TaskQueue<MyTask> queue;
  queue.push(tasks[0]);
  queue.push(tasks[1]);

  queue.erase(tasks[0]);
  queue.erase(tasks[0]);  // is nowhere
  queue.erase(tasks[2]);  // was never here

  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(&queue.pop(), &tasks[1]);
}

TEST(TaskQueue, TakesBackWhoWasTakenOut) {
  MyTask task;
  TaskQueue<MyTask> queue;
  queue.push(task);
  queue.erase(task);
  queue.push(task);
  EXPECT_EQ(&queue.pop(), &task);
}

TEST(TaskQueue, LetsGoOfItsTasksAtItsEnd) {
  MyTask task;
  {
    TaskQueue<MyTask> queue;
    queue.push(task);
  }
  TaskQueue<MyTask> other;
  other.push(task);
  EXPECT_EQ(other.size(), 1U);
  other.erase(task);
}

RC_GTEST_PROP(TaskQueueProperty, IsADequeThatKnowsItsMembers, ()) {
  std::array<MyTask, 16> tasks;
  TaskQueue<MyTask> queue;
  std::deque<MyTask*> model;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::size_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::inRange<std::size_t>(0, tasks.size())));
  for (const auto& [operation, number] : steps) {
    MyTask& task = tasks.at(number);
    const auto place = std::ranges::find(model, &task);
    if (operation == 0 && place == model.end()) {
      queue.push(task);
      model.push_back(&task);
    } else if (operation == 1) {
      queue.erase(task);
      if (place != model.end()) {
        model.erase(place);
      }
    } else if (operation == 2 && !model.empty()) {
      RC_ASSERT(&queue.pop() == model.front());
      model.pop_front();
    }
    RC_ASSERT(queue.size() == model.size());
    RC_ASSERT(queue.empty() == model.empty());
  }
}

}  // namespace
}  // namespace cppland
