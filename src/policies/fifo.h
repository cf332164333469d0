// SPDX-License-Identifier: GPL-2.0-only
// fifo.h - round robin: first come, first served, in slices that shrink as more tasks wait.
//
// The smallest policy there is, and the one to copy for your own.
#pragma once

#include <cppland/policy.h>

namespace cppland::policies {

class Fifo {
 public:
  struct Task : cppland::Task {};  // nothing to remember of a task

  explicit Fifo(const PolicyConfig& /*config*/) {}

  void ready(Task& task, const Moment& /*moment*/) { queue_.push(task); }

  void gone(Task& task) { queue_.erase(task); }

  Decision next(const Moment& moment) {
    if (queue_.empty()) return {};
    return {.task = &queue_.pop(), .slice_ns = kRound / (moment.waiting + 1)};
  }

 private:
  static constexpr std::uint64_t kRound = 5'000'000;  // ns

  TaskQueue<Task> queue_;
};

}  // namespace cppland::policies
