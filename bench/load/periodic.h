// SPDX-License-Identifier: GPL-2.0-only
// periodic.h - a task that wakes up in equal intervals and has a piece of work to finish in each.
#pragma once

#include <cstdint>

#include "stats/histogram.h"
#include "timeline.h"

namespace cppland::load {

struct PeriodicResult {
  Histogram wakeup;           // from the start of the period to the task's first instruction
  Histogram completion;       // from the start of the period to the end of its work
  std::uint64_t periods = 0;  // all that began in the measured time
  std::uint64_t late = 0;     // the work was finished after the next period had begun
  std::uint64_t skipped = 0;  // the task was still busy with an earlier period when this one began

  // Periods whose work was not done in time.
  [[nodiscard]] std::uint64_t missed() const { return late + skipped; }
  void merge(const PeriodicResult& other);
};

// The bookkeeping of one periodic task: arithmetic only. A task that is late for the next period
// drops it, as a game does with frames, and goes on with the first period that has not begun; so a
// wake-up is always one from a real sleep, and what was dropped counts as missed.
class PeriodicLedger {
 public:
  PeriodicLedger(Nanos first_release, Nanos period) : release_(first_release), period_(period) {}

  // Moves every period by OFFSET. REQUIRES: none is finished yet.
  void delay(Nanos offset) { release_ += offset; }

  // The start of the period to wait for.
  [[nodiscard]] Nanos release() const { return release_; }
  // The task woke up for `release()` at WOKEN and was done at DONE. Periods that began outside
  // [FROM, UNTIL) do not count.
  void finished(Nanos woken, Nanos done, Nanos from, Nanos until);

  [[nodiscard]] const PeriodicResult& result() const { return result_; }

 private:
  Nanos release_;
  Nanos period_;
  PeriodicResult result_;
};

// The body of a task's thread; returns when the run ends.
void run_periodic(const Timeline& timeline, std::uint64_t loops, PeriodicLedger& ledger);

}  // namespace cppland::load
