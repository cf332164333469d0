// SPDX-License-Identifier: GPL-2.0-only
// run.cc - see run.h.
#include "run.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <thread>

#include "base/file.h"
#include "hogs.h"
#include "tasks.h"
#include "work.h"

namespace cppland::load {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&set, number);
  }
  return set;
}

// Waits until TIME. The signal that ended the wait early, or 0.
int wait_until(Nanos time) {
  const sigset_t signals = ending_signals();
  for (Nanos now = monotonic_now(); now < time; now = monotonic_now()) {
    const Nanos left = time - now;
    const timespec timeout{.tv_sec = static_cast<time_t>(left / kSecond),
                           .tv_nsec = static_cast<long>(left % kSecond)};
    if (const int number = sigtimedwait(&signals, nullptr, &timeout); number > 0) {
      return number;
    }
  }
  return 0;
}

struct Snapshot {
  Nanos time;
  std::vector<HogUsage> hogs;
  BackgroundUsage background;
};

Snapshot snapshot(const Hogs& hogs, const Background& background) {
  return {.time = monotonic_now(), .hogs = hogs.usage(), .background = background.usage()};
}

void add_difference(const Snapshot& begin, const Snapshot& end, const Options& options,
                    Figures& figures) {
  const auto seconds = [](Nanos from, Nanos to) {
    return static_cast<double>(to - from) / kSecond;
  };
  figures.seconds = seconds(begin.time, end.time);
  for (std::size_t i = 0; i < end.hogs.size(); ++i) {
    figures.hogs.push_back({.nice = options.hog_nices[i],
                            .cpu_seconds = seconds(begin.hogs[i].cpu, end.hogs[i].cpu),
                            .units = end.hogs[i].units - begin.hogs[i].units,
                            .longest_unit = end.hogs[i].longest_unit});
  }
  figures.background = {
      .runs = end.background.runs - begin.background.runs,
      .failed = end.background.failed,  // even before: what was measured is not what was meant
      .jobs = end.background.jobs - begin.background.jobs,
      .cpu_seconds = end.background.cpu_seconds - begin.background.cpu_seconds};
}

std::string running_scheduler() {
  const auto name = read_file("/sys/kernel/sched_ext/root/ops");
  return name ? std::string(trim(*name)) : "";
}

}  // namespace

unsigned usable_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0
             ? static_cast<unsigned>(CPU_COUNT(&set))
             : std::max(std::thread::hardware_concurrency(), 1U);
}

Result<Figures> run(const Options& options, unsigned cpus) {
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Figures figures;
  figures.cpus = cpus;
  figures.loops_per_us = options.loops_per_us;
  if (figures.loops_per_us == 0) {
    figures.loops_per_us = calibrate_loops_per_us();
  }
  Background background = CPPLAND_TRY(Background::start(options.background));
  Hogs hogs = CPPLAND_TRY(Hogs::start(options.hog_nices, options.hog_pauses));
  Tasks tasks;
  CPPLAND_TRY(tasks.prepare(options, figures.loops_per_us));
  mlockall(MCL_CURRENT);  // no page faults in the measured tasks, where this is allowed

  tasks.start(static_cast<Nanos>(options.warmup * kSecond),
              static_cast<Nanos>(options.seconds * kSecond));
  hogs.release();
  background.release();
  figures.signal = wait_until(tasks.timeline().from());
  if (figures.signal == 0) {
    hogs.forget_longest();
    const Snapshot begin = snapshot(hogs, background);
    figures.signal = wait_until(tasks.timeline().until());
    add_difference(begin, snapshot(hogs, background), options, figures);
  }
  figures.scheduler = running_scheduler();
  tasks.finish(figures.signal != 0);
  figures.frame = tasks.frame();
  figures.audio = tasks.audio();
  figures.pair = tasks.pair();
  return figures;
}

}  // namespace cppland::load
