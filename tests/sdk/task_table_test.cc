// SPDX-License-Identifier: GPL-2.0-only
// task_table_test.cc - tasks by tid in a fixed number of places, and who is forgotten first.

#include <cppland/policy_host.h>
#include <cppland/task_table.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace cppland {

namespace {
struct TestAccess;
}

// Only the library's PolicyHost says who waits; here it is the test.
template <>
class PolicyHost<TestAccess> {
 public:
  static void set_waiting(Task& task, bool waiting) { task.waiting_ = waiting; }
};

namespace {

void set_waiting(Task& task, bool waiting) { PolicyHost<TestAccess>::set_waiting(task, waiting); }

struct MyTask : Task {
  std::int64_t payload = 42;
};

TEST(TaskTable, IsEmptyAtFirst) {
  TaskTable<MyTask> table(4);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.capacity(), 4U);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(table.stalest(), nullptr);
}

TEST(TaskTable, FindsWhatWasAddedAtOneAddress) {
  TaskTable<MyTask> table(4);
  MyTask* task = table.add(17);
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->tid, 17);
  EXPECT_EQ(task->payload, 42);
  EXPECT_TRUE(task->first);
  for (const std::int32_t tid : {18, 19, 20}) {
    EXPECT_NE(table.add(tid), nullptr);
  }
  EXPECT_EQ(table.find(17), task);
  EXPECT_EQ(table.find(21), nullptr);
  EXPECT_EQ(table.size(), 4U);
}

TEST(TaskTable, AddsNobodyWhenItIsFull) {
  TaskTable<MyTask> table(3);  // no power of two
  for (const std::int32_t tid : {1, 2, 3}) {
    ASSERT_NE(table.add(tid), nullptr);
  }
  EXPECT_EQ(table.add(4), nullptr);
  table.erase(*table.find(2));
  EXPECT_NE(table.add(4), nullptr);
  EXPECT_EQ(table.add(5), nullptr);
}

TEST(TaskTable, MayHaveNoRoomAtAll) {
  TaskTable<MyTask> table(0);
  EXPECT_EQ(table.add(1), nullptr);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(table.stalest(), nullptr);
}

TEST(TaskTable, ForgetsAllThatATaskRemembered) {
  TaskTable<MyTask> table(1);
  MyTask* task = table.add(1);
  task->payload = 7;
  task->first = false;
  table.erase(*task);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(table.add(1)->payload, 42);
  EXPECT_TRUE(table.find(1)->first);
}

TEST(TaskTable, DistinguishesAllTidsThereCanBe) {
  TaskTable<MyTask> table(6);
  for (const std::int32_t tid : {1, 2, 4'194'303, 4'194'304, INT32_MAX - 1, INT32_MAX}) {
    ASSERT_NE(table.add(tid), nullptr);
  }
  for (const std::int32_t tid : {1, 2, 4'194'303, 4'194'304, INT32_MAX - 1, INT32_MAX}) {
    ASSERT_NE(table.find(tid), nullptr) << tid;
    EXPECT_EQ(table.find(tid)->tid, tid);
  }
}

TEST(TaskTable, ForgetsWhoWasNotHeardOfForLongestFirst) {
  TaskTable<MyTask> table(3);
  for (const std::int32_t tid : {1, 2, 3}) {
    ASSERT_NE(table.add(tid), nullptr);
  }
  EXPECT_EQ(table.stalest()->tid, 1);
  table.touch(*table.find(1));
  EXPECT_EQ(table.stalest()->tid, 2);
  table.touch(*table.find(1));  // the newest already
  table.touch(*table.find(3));
  EXPECT_EQ(table.stalest()->tid, 2);
  table.erase(*table.find(2));
  EXPECT_EQ(table.stalest()->tid, 1);
}

TEST(TaskTable, NeverForgetsWhoWaits) {
  TaskTable<MyTask> table(2);
  set_waiting(*table.add(1), true);
  ASSERT_NE(table.add(2), nullptr);
  EXPECT_EQ(table.stalest()->tid, 2);
  set_waiting(*table.find(2), true);
  EXPECT_EQ(table.stalest(), nullptr);
  set_waiting(*table.find(1), false);
  EXPECT_EQ(table.stalest()->tid, 1);
}

// Counts its living objects.
struct CountedTask : Task {
  CountedTask() { ++living; }
  ~CountedTask() { --living; }
  CountedTask(const CountedTask&) = delete;
  CountedTask& operator=(const CountedTask&) = delete;

  inline static int living = 0;
};

TEST(TaskTable, DestroysEachTaskOnce) {
  {
    TaskTable<CountedTask> table(4);
    EXPECT_EQ(CountedTask::living, 0);
    for (const std::int32_t tid : {1, 2, 3}) {
      ASSERT_NE(table.add(tid), nullptr);
    }
    EXPECT_EQ(CountedTask::living, 3);
    table.erase(*table.find(2));
    EXPECT_EQ(CountedTask::living, 2);
  }
  EXPECT_EQ(CountedTask::living, 0);
}

struct alignas(128) WideTask : Task {};

TEST(TaskTable, AlignsItsTasks) {
  TaskTable<WideTask> table(3);
  for (const std::int32_t tid : {1, 2, 3}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.add(tid)) % 128, 0U);
  }
}

// --- against a model: a map, and a list from the stalest to the newest ---

class Model {
 public:
  explicit Model(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  [[nodiscard]] bool full() const { return tasks_.size() == capacity_; }
  [[nodiscard]] MyTask* find(std::int32_t tid) const {
    const auto found = tasks_.find(tid);
    return found == tasks_.end() ? nullptr : found->second;
  }
  void add(std::int32_t tid, MyTask* task) {
    tasks_[tid] = task;
    news_.push_back(tid);
  }
  void touch(std::int32_t tid) {
    news_.remove(tid);
    news_.push_back(tid);
  }
  void erase(std::int32_t tid) {
    tasks_.erase(tid);
    news_.remove(tid);
    waiting_.erase(tid);
  }
  bool flip_waiting(std::int32_t tid) { return waiting_[tid] = !waiting_[tid]; }
  [[nodiscard]] MyTask* stalest() {
    const auto found =
        std::ranges::find_if(news_, [&](std::int32_t tid) { return !waiting_[tid]; });
    return found == news_.end() ? nullptr : tasks_.at(*found);
  }

 private:
  std::size_t capacity_;
  std::unordered_map<std::int32_t, MyTask*> tasks_;
  std::unordered_map<std::int32_t, bool> waiting_;
  std::list<std::int32_t> news_;
};

RC_GTEST_PROP(TaskTableProperty, IsAMapWithAMemoryOfWhoWasHeardOfLast, ()) {
  const auto capacity = *rc::gen::inRange<std::uint32_t>(1, 20);
  TaskTable<MyTask> table(capacity);
  Model model(capacity);
  // Few tids, so that they meet; multiples of a large one, so that buckets are shared.
  const auto tid_of = rc::gen::oneOf(
      rc::gen::inRange(1, 30),
      rc::gen::map(rc::gen::inRange(1, 30), [](std::int32_t n) { return n * (1 << 20); }));
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::int32_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 6), tid_of));
  for (const auto& [operation, tid] : steps) {
    MyTask* task = table.find(tid);
    RC_ASSERT(task == model.find(tid));
    if (task != nullptr) {
      RC_ASSERT(task->tid == tid);
    }
    if (operation <= 1 && task == nullptr) {
      task = table.add(tid);
      RC_ASSERT((task == nullptr) == model.full());
      if (task != nullptr) {
        model.add(tid, task);
      }
    } else if (operation == 2 && task != nullptr) {
      table.erase(*task);
      model.erase(tid);
    } else if (operation == 3 && task != nullptr) {
      table.touch(*task);
      model.touch(tid);
    } else if (operation == 4 && task != nullptr) {
      set_waiting(*task, model.flip_waiting(tid));
    }
    RC_ASSERT(table.stalest() == model.stalest());
    RC_ASSERT(table.size() == model.size());
  }
}

}  // namespace
}  // namespace cppland
