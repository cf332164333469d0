// SPDX-License-Identifier: GPL-2.0-only
// tasks.h - the measured tasks, a thread each.
#pragma once

#include <atomic>
#include <functional>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "base/result.h"
#include "options.h"
#include "pair.h"
#include "periodic.h"

namespace cppland::load {

class Tasks {
 public:
  Tasks() = default;
  Tasks(const Tasks&) = delete;
  Tasks(Tasks&&) = delete;
  Tasks& operator=(const Tasks&) = delete;
  Tasks& operator=(Tasks&&) = delete;
  ~Tasks();

  // Creates the threads, which wait for `start`. Called once.
  Result<void> prepare(const Options& options, double loops_per_us);
  // Called once, at the same time as the other parts of the run.
  void start(Nanos warmup, Nanos measured);
  // When the measured time begins and ends. REQUIRES: started.
  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  // Returns when the run is over and no task is at work any more; EARLY: it is over now.
  void finish(bool early);

  // REQUIRES: finished.
  [[nodiscard]] PeriodicResult frame() const { return sum_of(frame_); }
  [[nodiscard]] PeriodicResult audio() const { return sum_of(audio_); }
  [[nodiscard]] PairResult pair() const;

 private:
  Result<void> add_periodic(std::vector<PeriodicLedger>& ledgers, const char* name, unsigned count,
                            double period_us, double work_us);
  Result<void> add_pairs(unsigned count, double think_us, double work_us);
  Result<void> add_thread(const char* name, std::function<void()> body);
  [[nodiscard]] std::uint64_t loops_of(double microseconds) const;
  static PeriodicResult sum_of(const std::vector<PeriodicLedger>& ledgers);

  double loops_per_us_ = 0;
  std::mt19937_64 random_;
  Timeline timeline_;
  std::vector<PeriodicLedger> frame_;
  std::vector<PeriodicLedger> audio_;
  std::vector<Pair> pairs_;
  std::latch started_{1};
  std::atomic<std::size_t> ended_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace cppland::load
