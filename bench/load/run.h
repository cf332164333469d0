// SPDX-License-Identifier: GPL-2.0-only
// run.h - one run: everything that the options ask for, started, measured and put away.
#pragma once

#include <string>
#include <vector>

#include "background.h"
#include "base/clock.h"
#include "base/result.h"
#include "options.h"
#include "pair.h"
#include "periodic.h"

namespace cppland::load {

struct HogFigures {
  int nice = 0;
  double cpu_seconds = 0;
  std::uint64_t units = 0;
  Nanos longest_unit = 0;  // if they are watched
};

struct Figures {
  PeriodicResult frame;
  PeriodicResult audio;
  PairResult pair;
  // Of the hogs and the background, over `seconds`: they are read by a process that is scheduled
  // like any other, so that this may differ a little from what was asked for.
  std::vector<HogFigures> hogs;
  BackgroundUsage background;
  double seconds = 0;
  double loops_per_us = 0;
  unsigned cpus = 0;
  std::string scheduler;  // of sched_ext, at the end; empty: the kernel's own
  int signal = 0;         // that ended the run early
};

// Takes the whole run's time. Ends early on SIGINT, SIGTERM and SIGHUP. When it returns, no process
// that it started is left. REQUIRES: the calling process has no other threads yet.
Result<Figures> run(const Options& options, unsigned cpus);

// How many CPUs this process may use.
unsigned usable_cpus();

}  // namespace cppland::load
