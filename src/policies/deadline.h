// SPDX-License-Identifier: GPL-2.0-only
// deadline.h - the default policy: fair by weight, early for whoever sleeps often.
#pragma once

#include <cppland/policy.h>

#include <algorithm>

namespace cppland::policies {

// Every task has a vtime, its CPU time divided by its weight (weight 100 counts 1:1), and the
// policy a clock of the same kind, which follows the vtime of the tasks that have run. A task that
// comes back from sleep is at most one slice behind that clock. Tasks run in the order of
//
//   deadline = vtime + min(CPU time since the last sleep, by weight, slice)
//
// so that a task which sleeps often comes early, and a hog drifts back by at most a slice: too
// little to starve, since everybody's vtime rises as they run.
//
// Latency-critical tasks are found, not configured. Each task has an account of CPU time: it is
// paid the task's fair share of the time that passes, holds one slice at most, and whatever the
// task uses is taken off, and a fee for each time that it preempts somebody. What is on the account
// is the credit with which the task does so when it wakes up. Who uses less than its share always
// has some; who preempts others for very little, again and again, soon has none; a hog, which uses
// its share and never sleeps, is granted none.
//
// What is used on credit comes from a purse, which fills with half of the machine's time. The
// emptier it is, the less of its share is paid to everybody. So, however many tasks there are that
// sleep and wake, half of the machine belongs to those that wait their turn; and when there are too
// many, those that want all they can get, such as tasks that send each other messages, run out of
// credit, and those that use little do not.
class Deadline {
 public:
  struct Task : cppland::Task {
    std::uint64_t vtime = 0;
    std::uint64_t credit_ns = 0;   // on its account
    std::uint64_t granted_ns = 0;  // of it, what it may use without asking
    std::uint64_t paid_at_ns = 0;
  };

  explicit Deadline(const PolicyConfig& config) : config_(config) {}

  void ready(Task& task, const Moment& moment) {
    settle(task, moment);
    mean_weight_ = (15 * mean_weight_ + task.weight + 15) / 16;
    const std::uint64_t exec = by_weight(task.exec_runtime_ns, task);
    queue_.insert(task, task.vtime + std::min(exec, config_.slice_ns));
  }

  void gone(Task& task) { queue_.erase(task); }

  Decision next(const Moment& /*moment*/) {
    if (queue_.empty()) return {};
    const std::uint64_t deadline = queue_.first_key();
    Task& task = queue_.pop();
    return {.task = &task,
            .key = deadline,
            .slice_ns = std::max<std::uint64_t>(config_.slice_min_ns * task.weight / 100, 1),
            .cpu = kAnyIdleCpu,
            .wake_credit_ns = grant(task)};
  }

  std::uint64_t renew(Task& task, const Moment& moment) {
    settle(task, moment);
    return grant(task);
  }

 private:
  static constexpr std::uint64_t kLeastCredit = 100'000;  // ns; less is not worth a preemption

  static std::uint64_t by_weight(std::uint64_t ns, const Task& task) {
    return ns * 100 / task.weight;
  }

  // What it may use from its next wake-up on; nothing if it does not sleep.
  std::uint64_t grant(Task& task) const {
    const bool sleeps = by_weight(task.exec_runtime_ns, task) < config_.slice_ns;
    task.granted_ns = sleeps && task.credit_ns >= kLeastCredit ? task.credit_ns : 0;
    return task.granted_ns;
  }

  // What it used since it was last heard of is taken off, and time that has passed is paid. A task
  // that is new starts like one that has just had its turn.
  void settle(Task& task, const Moment& moment) {
    if (task.first) {
      task.vtime = now_;
      task.paid_at_ns = moment.now_ns;
    } else {
      charge(task);
      pay(task, moment);
    }
  }

  void charge(Task& task) {
    if (before(now_, task.vtime)) now_ = task.vtime;  // it has run from there on
    task.vtime += by_weight(task.used_ns, task);
    if (before(task.vtime, now_ - config_.slice_ns)) task.vtime = now_ - config_.slice_ns;
  }

  // Its part of the time since the last payment, among those that want a CPU, less what it used.
  void pay(Task& task, const Moment& moment) {
    fill_purse(moment);
    const std::uint64_t spent = task.used_ns + task.preempt_ns;
    const std::uint64_t on_credit = std::min(spent, task.granted_ns);
    purse_ns_ -= static_cast<std::int64_t>(on_credit);
    task.granted_ns -= on_credit;
    const std::uint64_t passed = std::min(moment.now_ns - task.paid_at_ns, kLongestPeriod);
    const std::uint64_t rivals = (std::uint64_t{moment.waiting} + moment.nr_cpus) * mean_weight_;
    const std::uint64_t share = passed * moment.nr_cpus * task.weight / rivals;
    const std::uint64_t due = std::min(share, passed) * purse_fill(moment) / kFull;
    const std::uint64_t account = task.credit_ns + due;
    task.credit_ns = std::min(account - std::min(account, spent), config_.slice_ns);
    task.paid_at_ns = moment.now_ns;
  }

  void fill_purse(const Moment& moment) {
    const std::uint64_t passed = std::min(moment.now_ns - purse_filled_at_ns_, kLongestPeriod);
    purse_ns_ = std::min(purse_ns_ + static_cast<std::int64_t>(passed * moment.nr_cpus / 2),
                         static_cast<std::int64_t>(purse_size_ns(moment)));
    purse_filled_at_ns_ = moment.now_ns;
  }

  // How full it is, of kFull: in steps, since a second for each of a thousand CPUs, times a second,
  // is more than 64 bits hold.
  [[nodiscard]] std::uint64_t purse_fill(const Moment& moment) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(purse_ns_, 0)) * kFull /
           purse_size_ns(moment);
  }

  [[nodiscard]] std::uint64_t purse_size_ns(const Moment& moment) const {
    return 4 * config_.slice_ns * moment.nr_cpus;
  }

  static bool before(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a - b) < 0;
  }

  static constexpr std::uint64_t kFull = 1U << 20;
  static constexpr std::uint64_t kLongestPeriod = 1'000'000'000;  // ns

  PolicyConfig config_;
  std::uint64_t now_ = 1ULL << 40;   // the clock; far enough from 0 to look back from
  std::uint64_t mean_weight_ = 100;  // of the tasks that were ready of late
  std::int64_t purse_ns_ = 0;        // less than 0: overdrawn
  std::uint64_t purse_filled_at_ns_ = 0;
  OrderedTasks<Task> queue_;
};

}  // namespace cppland::policies
