// SPDX-License-Identifier: GPL-2.0-only
// edf.h - earliest deadline first for tasks with a period, which is learnt; others share the rest.
#pragma once
#include <cppland/policy.h>

#include <algorithm>

namespace cppland::policies {

// After C. Liu and J. Layland, "Scheduling Algorithms for Multiprogramming in a Hard-Real-Time
// Environment" (1973): a period's work is due when the next begins. Who wakes up regularly has a
// period, and preempts, with credit for a quarter of it, out of a purse for half of the machine's
// time. All others, and who is late, are due kFar after their fair turn: so far that periods come
// first, and no further, so that nobody starves.
class Edf {
  using Ns = std::int64_t;

 public:
  struct Task : cppland::Task {
    Ns woke_at = 0, period = 0, deviation = 0;  // the last two are smoothed
    Ns vtime = 0, granted = 0;                  // CPU time by weight, and credit
  };

  explicit Edf(const PolicyConfig& config) : slice_(static_cast<Ns>(config.slice_ns)) {}

  void ready(Task& task, const Moment& moment) {
    renew(task, moment);
    if (task.woke) learn(task, static_cast<Ns>(task.ready_ns) - task.woke_at);
    const Ns deadline = task.woke_at + task.period;
    const Ns ahead = (task.vtime - clock_) * kUnit / price_;  // of the clock
    const Ns turn = ahead * (moment.waiting + moment.nr_cpus) / moment.nr_cpus;
    const bool in_time = has_period(task) && now_ < deadline;
    queue_.insert(task, static_cast<std::uint64_t>(
                            in_time ? deadline : now_ + kFar + std::max(turn, -kFar / 2)));
  }

  void gone(Task& task) { queue_.erase(task); }
  Decision next(const Moment& /*moment*/) {
    if (queue_.empty()) return {};
    Task& task = queue_.pop();
    return {&task, OrderedTasks<Task>::key_of(task), 0, kAnyCpu,
            static_cast<std::uint64_t>(task.granted)};
  }

  std::uint64_t renew(Task& task, const Moment& moment) {
    const Ns used = std::min(static_cast<Ns>(task.used_ns), kLongest);
    const Ns passed = static_cast<Ns>(moment.now_ns) - now_;
    const Ns purse = purse_ + passed * moment.nr_cpus / 2 + std::max(task.granted - used, Ns{0});
    purse_ = std::min(purse, kFar * moment.nr_cpus);
    now_ += passed;
    price_ += (kUnit * 100 / task.weight - price_) / 64;
    const bool counts = !has_period(task) && !task.first;
    if (counts) clock_ = std::max(clock_, task.vtime);  // it has run from there on
    task.vtime += used * 100 / task.weight;
    task.vtime = counts ? std::max(task.vtime, clock_ - slice_) : clock_;
    task.granted = has_period(task) ? std::min(task.period / 4, purse_) : 0;
    purse_ -= task.granted;
    return static_cast<std::uint64_t>(task.granted);
  }

 private:
  static constexpr Ns kFar = 50'000'000, kLongest = 1'000'000'000, kUnit = 1 << 16;
  static bool has_period(const Task& task) {  // keeps to one, and sleeps in it
    return task.deviation < task.period / 8 && static_cast<Ns>(task.exec_runtime_ns) < task.period;
  }
  static void learn(Task& task, Ns passed) {
    task.woke_at += passed;
    if (passed <= 0 || passed > kLongest) return;  // its first wake-up, or a pause
    if (task.period == 0) task.period = task.deviation = passed;
    const Ns n = std::max((passed + task.period / 2) / task.period, Ns{1});  // not all are heard of
    const Ns off = passed - n * task.period;
    task.deviation += (std::max(off, -off) - task.deviation) / 8;
    task.period += off / n / 8;
  }

  Ns slice_, now_ = 0, purse_ = 0, clock_ = 0, price_ = kUnit;  // of CPU time, in vtime; a mean
  OrderedTasks<Task> queue_;
};

}  // namespace cppland::policies
