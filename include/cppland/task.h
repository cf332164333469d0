// SPDX-License-Identifier: GPL-2.0-only
// task.h - what a policy knows of a task, and the two queues it may keep tasks in.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cppland {

template <typename T>
class TaskQueue;
template <typename T>
class OrderedTasks;
template <typename T>
class TaskTable;

// A thread of the machine. A policy's own Task type derives from it and adds what the policy wants
// to remember; the library makes one when the policy first hears of a thread, keeps it at one
// address until the thread has exited (or, when the table is full, until it is the one longest not
// heard of), and brings the figures up to date before each call. Times are nanoseconds.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() = default;

  std::int32_t tid = 0;
  std::int32_t tgid = 0;
  std::uint32_t weight = 100;         // 1..10000; nice 0 is 100, each nice step about 1.25 times
  std::int32_t cpu = 0;               // where it last ran
  std::uint32_t nr_cpus_allowed = 1;  // how many CPUs its affinity leaves it
  bool kernel_thread = false;
  bool woke = false;                  // it slept since the policy last heard of it
  bool first = true;                  // the policy has not heard of it before
  std::uint64_t ready_ns = 0;         // when it began to wait, CLOCK_MONOTONIC
  std::uint64_t used_ns = 0;          // CPU time since the policy last heard of it
  std::uint64_t exec_runtime_ns = 0;  // CPU time since it last slept
  std::uint64_t total_ns = 0;         // CPU time since it was born
  // What its preemptions on credit since the policy last heard of it count as, besides used_ns.
  std::uint64_t preempt_ns = 0;

  [[nodiscard]] std::string_view comm() const noexcept {
    const std::string_view whole(comm_.data(), comm_.size());
    return whole.substr(0, whole.find('\0'));
  }

 private:
  template <typename T>
  friend class TaskQueue;
  template <typename T>
  friend class OrderedTasks;
  template <typename T>
  friend class TaskTable;

  // Safe links: taking out a task that is in no queue, or putting it into two, is caught in debug
  // builds.
  using ListHook = boost::intrusive::list_member_hook<>;
  using SetHook = boost::intrusive::set_member_hook<>;

  ListHook list_hook_;
  SetHook set_hook_;
  std::uint64_t order_key_ = 0;

  // The library's own.
  std::array<char, 16> comm_{};
  std::uint64_t generation_ = 0;
  std::uint32_t next_in_bucket_ = 0;
  std::uint32_t older_ = 0;
  std::uint32_t newer_ = 0;
  bool waiting_ = false;
  bool unheard_ = false;  // it ran, and the policy has not been told

  template <typename P>
  friend class PolicyHost;
};

// First in, first out. Holds no memory of its own; every operation is O(1) and cannot fail.
template <typename T>
class TaskQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
  void push(T& task) noexcept { list_.push_back(task); }

  // REQUIRES: !empty().
  T& pop() noexcept {
    Task& task = list_.front();
    list_.pop_front();
    return static_cast<T&>(task);
  }

  // Takes @task out if it is here or nowhere.
  void erase(T& task) noexcept {
    if (task.list_hook_.is_linked()) list_.erase(list_.iterator_to(task));
  }

 private:
  boost::intrusive::list<Task,
                         boost::intrusive::member_hook<Task, Task::ListHook, &Task::list_hook_>>
      list_;
};

// The smallest key first; equal keys in the order of insertion. Holds no memory of its own; O(log
// n). Keys are compared as signed difference, so that they may wrap around.
template <typename T>
class OrderedTasks {
 public:
  [[nodiscard]] bool empty() const noexcept { return set_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return set_.size(); }

  void insert(T& task, std::uint64_t key) noexcept {
    task.order_key_ = key;
    set_.insert(task);  // behind its equals
  }

  // REQUIRES: !empty().
  [[nodiscard]] T& first() noexcept { return static_cast<T&>(*set_.begin()); }
  [[nodiscard]] std::uint64_t first_key() const noexcept { return set_.begin()->order_key_; }

  // REQUIRES: !empty().
  T& pop() noexcept {
    T& task = first();
    set_.erase(set_.begin());
    return task;
  }

  // Takes @task out if it is here or nowhere.
  void erase(T& task) noexcept {
    if (task.set_hook_.is_linked()) set_.erase(set_.iterator_to(task));
  }

  // The key that @task was last inserted with.
  [[nodiscard]] static std::uint64_t key_of(const T& task) noexcept { return task.order_key_; }

 private:
  struct Before {
    bool operator()(const Task& a, const Task& b) const noexcept {
      return static_cast<std::int64_t>(a.order_key_ - b.order_key_) < 0;
    }
  };

  // Takes in whatever comes: keys that are half their range apart have no order, and must do no
  // harm.
  boost::intrusive::multiset<Task, boost::intrusive::compare<Before>,
                             boost::intrusive::member_hook<Task, Task::SetHook, &Task::set_hook_>>
      set_;
};

}  // namespace cppland
