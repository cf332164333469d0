// SPDX-License-Identifier: GPL-2.0-only
// timeline.h - when a run starts, what part of it is measured, and how it ends early.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace cppland::load {

// Written by the main thread before the tasks start; afterwards only `end_now` changes it.
class Timeline {
 public:
  void set(Nanos start, Nanos warmup, Nanos measured) {
    start_ = start;
    from_ = start + warmup;
    until_ = from_ + measured;
  }
  void end_now() { until_ = monotonic_now(); }

  [[nodiscard]] Nanos start() const { return start_; }
  // What was due in [from, until) is measured, however late it happens.
  [[nodiscard]] Nanos from() const { return from_; }
  [[nodiscard]] Nanos until() const { return until_.load(std::memory_order_relaxed); }

  // Sleeps until TIME. False, perhaps early, if the run ends before that time.
  [[nodiscard]] bool sleep_until(Nanos time) const;

 private:
  Nanos start_ = 0;
  Nanos from_ = 0;
  std::atomic<Nanos> until_ = 0;
};

}  // namespace cppland::load
