// SPDX-License-Identifier: GPL-2.0-only
// task_table.h - a policy's tasks by tid, in memory that is taken once.
#pragma once

#include <cppland/task.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace cppland {

// A hash table of a fixed number of tasks. Nothing here allocates after the constructor.
template <typename T>
class TaskTable {
 public:
  explicit TaskTable(std::uint32_t capacity)
      : capacity_(capacity), buckets_(std::bit_ceil(capacity), kNone), slots_(capacity) {
    free_.reserve(capacity);
    for (std::uint32_t i = capacity; i-- > 0;) free_.push_back(i);
  }

  TaskTable(const TaskTable&) = delete;
  TaskTable& operator=(const TaskTable&) = delete;

  ~TaskTable() {
    while (oldest_ != kNone) remove(oldest_);
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return capacity_ - static_cast<std::uint32_t>(free_.size());
  }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  // The task, or nullptr.
  [[nodiscard]] T* find(std::int32_t tid) noexcept {
    for (std::uint32_t i = bucket(tid); i != kNone; i = at(i).next_in_bucket_)
      if (at(i).tid == tid) return &at(i);
    return nullptr;
  }

  // A new task; nullptr if the table is full. REQUIRES: find(tid) == nullptr.
  [[nodiscard]] T* add(std::int32_t tid) noexcept {
    if (free_.empty()) return nullptr;
    const std::uint32_t i = free_.back();
    free_.pop_back();
    T& task = *new (slots_[i].bytes) T;
    task.tid = tid;
    task.next_in_bucket_ = bucket(tid);
    bucket(tid) = i;
    link_newest(i);
    return &task;
  }

  // Says that there was news of @task.
  void touch(T& task) noexcept {
    const std::uint32_t i = index_of(task);
    if (i == newest_) return;
    unlink(i);
    link_newest(i);
  }

  // Of the tasks that do not wait, the one not heard of for longest: to be forgotten when the table
  // is full. nullptr if all wait.
  [[nodiscard]] T* stalest() noexcept {
    for (std::uint32_t i = oldest_; i != kNone; i = at(i).newer_)
      if (!at(i).waiting_) return &at(i);
    return nullptr;
  }

  // Forgets @task. REQUIRES: it is in no queue of the policy.
  void erase(T& task) noexcept { remove(index_of(task)); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    alignas(T) unsigned char bytes[sizeof(T)];
  };

  T& at(std::uint32_t i) noexcept { return *std::launder(reinterpret_cast<T*>(slots_[i].bytes)); }

  [[nodiscard]] std::uint32_t index_of(const T& task) const noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<const Slot*>(&task) - slots_.data());
  }

  std::uint32_t& bucket(std::int32_t tid) noexcept {
    // Fibonacci hashing: tids come in runs, and runs must not share buckets.
    const std::uint64_t mixed = static_cast<std::uint32_t>(tid) * 0x9E3779B97F4A7C15ULL;
    return buckets_[(mixed >> 32) & (buckets_.size() - 1)];
  }

  void remove(std::uint32_t i) noexcept {
    T& task = at(i);
    std::uint32_t* link = &bucket(task.tid);
    while (*link != i) link = &at(*link).next_in_bucket_;
    *link = task.next_in_bucket_;
    unlink(i);
    task.~T();
    free_.push_back(i);
  }

  void link_newest(std::uint32_t i) noexcept {
    at(i).older_ = newest_;
    at(i).newer_ = kNone;
    (newest_ == kNone ? oldest_ : at(newest_).newer_) = i;
    newest_ = i;
  }

  void unlink(std::uint32_t i) noexcept {
    const T& task = at(i);
    (task.older_ == kNone ? oldest_ : at(task.older_).newer_) = task.newer_;
    (task.newer_ == kNone ? newest_ : at(task.newer_).older_) = task.older_;
  }

  std::uint32_t capacity_;
  std::vector<std::uint32_t> buckets_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
};

}  // namespace cppland
