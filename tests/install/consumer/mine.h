// SPDX-License-Identifier: GPL-2.0-only
// mine.h - a policy outside the tree: last come, first served.
#pragma once

#include <cppland/policy.h>

class Mine {
 public:
  struct Task : cppland::Task {};

  explicit Mine(const cppland::PolicyConfig& /*config*/) {}

  void ready(Task& task, const cppland::Moment& moment) {
    key_ = moment.now_ns;
    queue_.push(task);
  }
  void gone(Task& task) { queue_.erase(task); }
  cppland::Decision next(const cppland::Moment& /*moment*/) {
    if (queue_.empty()) return {};
    return {.task = &queue_.pop(), .key = ~key_};
  }

 private:
  cppland::TaskQueue<Task> queue_;
  std::uint64_t key_ = 0;
};
