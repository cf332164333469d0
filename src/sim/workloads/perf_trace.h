// SPDX-License-Identifier: GPL-2.0-only
// perf_trace.h - what `perf script` prints of a recording of the scheduler, thread by thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cppland::sim::perf {

// A thread runs, maybe with interruptions, and sleeps, in ns. The last phase has no sleep.
struct Phase {
  std::uint64_t run = 0;
  std::uint64_t sleep = 0;
};

struct Thread {
  std::string comm{};  // its name, the last one if it had several
  std::int32_t tid = 0;
  std::int32_t prio = 120;  // the kernel's: 120 is nice 0; below 100 is real-time
  bool forked = false;      // within the recording
  std::uint64_t start = 0;  // when it could run first, after the recording's beginning
  std::vector<Phase> phases{};
};

// Lines of one kind.
struct Lines {
  std::uint64_t count = 0;
  std::uint64_t first = 0;  // its number, from 1; 0: there is none

  void add(std::uint64_t number) noexcept {
    if (count++ == 0) first = number;
  }
};

struct Trace {
  std::vector<Thread> threads;  // those that have run, in the order of their first appearance
  std::uint64_t length = 0;
  std::uint64_t lines = 0;
  Lines bad;       // not understood
  Lines losses;    // say that events got lost
  Lines switches;  // from one thread to another
  Lines gaps;      // of the switches and forks, those before which a switch is missing
  Lines wakeups;
};

// Takes the lines of sched_switch, sched_wakeup, sched_wakeup_new, sched_waking,
// sched_process_fork and sched_process_exit, as different versions of perf and trace-cmd print
// them; other events are passed over. Where a switch is missing, the runs that it began and ended
// are left out, as nobody knows how long they were. EINVAL if time goes back, or not one run is
// seen from its beginning to its end.
[[nodiscard]] Result<Trace> parse_trace(std::string_view text);

}  // namespace cppland::sim::perf
