// SPDX-License-Identifier: GPL-2.0-only
// eevdf.h - earliest eligible virtual deadline first: the idea of the kernel's own fair scheduler.
#pragma once

#include <cppland/policy.h>

#include <algorithm>

namespace cppland::policies {

// After I. Stoica and H. Abdel-Wahab, "Earliest Eligible Virtual Deadline First" (1995); the
// kernel's is in kernel/sched/fair.c.
//
// A task's vruntime is its CPU time by weight. How far it is behind the average of all that compete
// is its lag; who is ahead of the average has had too much, and is not eligible. Everybody asks for
// one slice at a time, which should be done by vruntime + slice / weight. Of the eligible, the one
// with the earliest of these deadlines runs.
//
// This is an approximation, in two points. Keys are given when a task begins to wait, so who is
// eligible is judged then: one that is not goes behind all who were so far. And nobody tells a
// policy who has gone to sleep, so the average is followed: it moves on by what is used, divided by
// the weight of all who seem to compete, and a little towards everybody who comes by.
class Eevdf {
 public:
  struct Task : cppland::Task {
    std::uint64_t vruntime = 0;
  };

  explicit Eevdf(const PolicyConfig& config) : config_(config) {}

  void ready(Task& task, const Moment& moment) {
    charge(task, moment);
    const bool eligible = !before(average_, task.vruntime);
    const std::uint64_t deadline = task.vruntime + by_weight(config_.slice_min_ns, task);
    if (eligible && before(latest_, deadline)) latest_ = deadline;
    queue_.insert(task, eligible || before(latest_, deadline) ? deadline : latest_);
  }

  void gone(Task& task) { queue_.erase(task); }

  Decision next(const Moment& /*moment*/) {
    if (queue_.empty()) return {};
    const std::uint64_t key = queue_.first_key();
    return {.task = &queue_.pop(), .key = key, .slice_ns = config_.slice_min_ns};
  }

 private:
  static constexpr std::uint64_t kUnit = 1 << 16;

  static std::uint64_t by_weight(std::uint64_t ns, const Task& task) {
    return ns * 100 / task.weight;
  }

  static bool before(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a - b) < 0;
  }

  void charge(Task& task, const Moment& moment) {
    if (task.first) task.vruntime = average_;
    if (task.first) return;  // what it did before is nobody's business
    price_ = (63 * price_ + by_weight(kUnit, task)) / 64;
    average_ += task.used_ns / kUnit * price_ / (moment.waiting + moment.nr_cpus);
    task.vruntime += by_weight(task.used_ns, task);
    // Nobody is owed more than --slice-us, nor owes more.
    const std::uint64_t most = by_weight(config_.slice_ns, task);
    if (before(task.vruntime, average_ - most)) task.vruntime = average_ - most;
    if (before(average_ + most, task.vruntime)) task.vruntime = average_ + most;
    const auto ahead = static_cast<std::int64_t>(task.vruntime - average_);
    average_ += static_cast<std::uint64_t>(ahead / 16);
  }

  PolicyConfig config_;
  std::uint64_t average_ = 1ULL << 40;  // far enough from 0 to look back from
  std::uint64_t latest_ = average_;     // deadline of an eligible task
  std::uint64_t price_ = kUnit;         // vruntime for CPU time, of those that were ready of late
  OrderedTasks<Task> queue_;
};

}  // namespace cppland::policies
