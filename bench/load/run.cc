// SPDX-License-Identifier: GPL-2.0-only
// run.cc - see run.h.
#include "run.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <fstream>
#include <thread>

#include "hogs.h"
#include "tasks.h"

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
int wait_until(Nanoseconds time) {
  const sigset_t signals = ending_signals();
  for (Nanoseconds left = 0; (left = time - now()) > 0;) {
    const timespec timeout{.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
    if (const int number = sigtimedwait(&signals, nullptr, &timeout); number > 0) {
      return number;
    }
  }
  return 0;
}

struct Snapshot {
  Nanoseconds time;
  std::vector<HogUsage> hogs;
  BackgroundUsage background;
};

Snapshot snapshot(const Hogs& hogs, const Background& background) {
  return {now(), hogs.usage(), background.usage()};
}

void add_difference(const Snapshot& begin, const Snapshot& end, const Options& options,
                    Figures& figures) {
  const auto seconds = [](Nanoseconds from, Nanoseconds to) {
    return static_cast<double>(to - from) / kSecond;
  };
  figures.seconds = seconds(begin.time, end.time);
  for (std::size_t i = 0; i < end.hogs.size(); ++i) {
    figures.hogs.push_back({.nice = options.hog_nices[i],
                            .cpu_seconds = seconds(begin.hogs[i].cpu, end.hogs[i].cpu),
                            .units = end.hogs[i].units - begin.hogs[i].units});
  }
  figures.background = {
      .runs = end.background.runs - begin.background.runs,
      .failed = end.background.failed,  // even before: what was measured is not what was meant
      .jobs = end.background.jobs - begin.background.jobs,
      .cpu_seconds = end.background.cpu_seconds - begin.background.cpu_seconds};
}

std::string running_scheduler() {
  std::ifstream file("/sys/kernel/sched_ext/root/ops");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

unsigned usable_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0
             ? static_cast<unsigned>(CPU_COUNT(&set))
             : std::max(std::thread::hardware_concurrency(), 1U);
}

std::expected<Figures, std::string> run(const Options& options, unsigned cpus) {
  const sigset_t signals = ending_signals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  Figures figures;
  figures.cpus = cpus;
  figures.loops_per_us = options.loops_per_us;
  if (figures.loops_per_us == 0) {
    figures.loops_per_us = calibrate_loops_per_us();
  }
  auto background = Background::start(options.background);
  if (!background) {
    return std::unexpected(background.error());
  }
  auto hogs = Hogs::start(options.hog_nices);
  if (!hogs) {
    return std::unexpected(hogs.error());
  }
  Tasks tasks(options, figures.loops_per_us);
  mlockall(MCL_CURRENT);  // no page faults in the measured tasks, where this is allowed

  tasks.start(static_cast<Nanoseconds>(options.warmup * kSecond),
              static_cast<Nanoseconds>(options.seconds * kSecond));
  hogs->release();
  background->release();
  figures.signal = wait_until(tasks.timeline().from());
  if (figures.signal == 0) {
    const Snapshot begin = snapshot(*hogs, *background);
    figures.signal = wait_until(tasks.timeline().until());
    add_difference(begin, snapshot(*hogs, *background), options, figures);
  }
  figures.scheduler = running_scheduler();
  tasks.finish(figures.signal != 0);
  figures.frame = tasks.frame();
  figures.audio = tasks.audio();
  figures.pair = tasks.pair();
  return figures;
}

}  // namespace cppland::load
