// SPDX-License-Identifier: GPL-2.0-only
// mlfq.h - multi-level feedback queue: who uses much goes down, to fewer but longer turns.
#pragma once
#include <cppland/policy.h>

#include <algorithm>

namespace cppland::policies {

// After F. Corbato, M. Merwin-Daggett and R. Daley, "An Experimental Time-Sharing System" (1962).
// A level is served when those above it are empty. New tasks and those that have just slept are at
// the top. Who uses up its allotment in a level, four slices, goes down by one, where slices are
// twice as long. Twice a second there is a boost: everybody begins at the top again. That is in the
// keys: who has waited since before the boost is ahead of who came after, so nobody starves.
//
// The top level preempts, with credit for one allotment, out of a purse that each boost fills with
// half of the machine's time. Who has used a quarter of the time since the boost goes to the top no
// more when it sleeps: short sleeps do not hide a hog.
class Mlfq {
 public:
  struct Task : cppland::Task {
    std::uint64_t boost = 0;     // the last one that it has heard of
    std::uint64_t level = 0;     // 0 is the top
    std::uint64_t level_ns = 0;  // CPU time in its level
    std::uint64_t boost_ns = 0;  // ... since the boost
    std::uint64_t granted = 0;   // out of the purse
  };

  explicit Mlfq(const PolicyConfig& config) : slice_(config.slice_min_ns) {}

  void ready(Task& task, const Moment& moment) {
    renew(task, moment);
    queue_.insert(task, boost_ * kLevels + task.level);  // equals: first come, first served
  }

  void gone(Task& task) { queue_.erase(task); }
  Decision next(const Moment& /*moment*/) {
    if (queue_.empty()) return {};
    const std::uint64_t key = queue_.first_key();
    Task& task = queue_.pop();
    return {.task = &task,
            .key = key,
            .slice_ns = slice_ << task.level,
            .wake_credit_ns = task.granted};
  }

  // Finds its level, and grants it credit anew.
  std::uint64_t renew(Task& task, const Moment& moment) {
    const std::uint64_t boost = moment.now_ns / kPeriod;
    if (boost != boost_) purse_ = kPeriod * moment.nr_cpus / 2;
    boost_ = boost;
    if (task.first || task.boost != boost) {
      task.level = task.level_ns = task.boost_ns = 0;
      task.boost = boost;
    } else {
      charge(task);
    }
    task.granted = task.level == 0 ? std::min(kTurns * slice_, purse_) : 0;
    purse_ -= task.granted;
    return task.granted;
  }

 private:
  static constexpr std::uint64_t kLevels = 5, kTurns = 4, kPeriod = 500'000'000;  // ns

  void charge(Task& task) {
    purse_ += task.granted - std::min(task.granted, task.used_ns);
    task.level_ns += task.used_ns;
    task.boost_ns += task.used_ns;
    const bool rises = task.woke && task.boost_ns < kPeriod / 4;
    const bool sinks = task.level_ns >= kTurns * (slice_ << task.level) && task.level < kLevels - 1;
    if (rises || sinks) task.level_ns = 0;
    task.level = rises ? 0 : task.level + (sinks ? 1 : 0);
  }

  std::uint64_t slice_, boost_ = 0, purse_ = 0;
  OrderedTasks<Task> queue_;
};

}  // namespace cppland::policies
