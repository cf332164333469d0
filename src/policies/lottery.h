// SPDX-License-Identifier: GPL-2.0-only
// lottery.h - lottery scheduling: whoever's ticket is drawn runs; a task has as many as its weight.
#pragma once

#include <cppland/policy.h>

#include <algorithm>
#include <bit>
#include <random>

namespace cppland::policies {

// After C. Waldspurger and W. Weihl, "Lottery Scheduling: Flexible Proportional-Share Resource
// Management" (1994).
//
// Instead of drawing among all tickets each time, every task draws once, when it begins to wait:
// how long until a bell rings that rings by chance, as often as the task has tickets. The first
// bell wins. That is the same lottery, for a bell that has been waited for is as likely to ring in
// the next moment as a new one; and it needs one number of each task, to sort by. Who comes back
// from a CPU has won, and so its number is how late it is now. On several CPUs, as in any lottery,
// who runs does not take part meanwhile: a task that is heavier than a CPU is worth gets less.
//
// A task that used little of its last turn waits for as much less: the compensation tickets of the
// paper. Without them, who sleeps early would get less than its tickets are worth.
class Lottery {
 public:
  struct Task : cppland::Task {};

  explicit Lottery(const PolicyConfig& config) : config_(config) {}

  void ready(Task& task, const Moment& /*moment*/) {
    const std::uint64_t won = OrderedTasks<Task>::key_of(task);
    if (!task.first && static_cast<std::int64_t>(now_ - won) < 0) now_ = won;
    const std::uint64_t turn = config_.slice_min_ns;
    const std::uint64_t used =
        task.first ? turn : std::clamp(task.used_ns, turn / 16, turn * kLongest);
    queue_.insert(task, now_ + wait_for_bell() * used / task.weight);
  }

  void gone(Task& task) { queue_.erase(task); }

  Decision next(const Moment& /*moment*/) {
    if (queue_.empty()) return {};
    const std::uint64_t key = queue_.first_key();
    return {.task = &queue_.pop(), .key = key, .slice_ns = config_.slice_min_ns};
  }

 private:
  static constexpr unsigned kBits = 16;          // behind the binary point
  static constexpr std::uint64_t kLongest = 16;  // turns; what ran undisturbed pays for no more

  // -log2 of a random fraction: exponentially distributed.
  std::uint64_t wait_for_bell() {
    const std::uint64_t random = random_() | 1;
    const auto zeros = static_cast<unsigned>(std::countl_zero(random));
    std::uint64_t x = random << zeros >> 32;  // from 1 to 2, with 31 bits behind the point
    std::uint64_t log = 0;
    for (unsigned bit = kBits; bit-- > 0;) {
      x = x * x >> 31;
      if (x >> 32 == 0) continue;
      log |= 1ULL << bit;
      x >>= 1;
    }
    return ((zeros + 1ULL) << kBits) - log;
  }

  PolicyConfig config_;
  std::mt19937_64 random_{1994};  // the same draws every time
  std::uint64_t now_ = 0;         // of the bells
  OrderedTasks<Task> queue_;
};

}  // namespace cppland::policies
