// SPDX-License-Identifier: GPL-2.0-only
// programs.h - programs and workloads for tests of the simulator.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "sim/workload.h"
#include "tests/support/behaviours.h"

namespace cppland::sim::testing {

// Wants a CPU all the time. A unit of work is a millisecond.
class HogProgram final : public Program {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    progress_.units += std::exchange(began_, true);
    return {Step::Kind::kRun, kMs};
  }

 private:
  bool began_ = false;
};

// Works in every period, which begins anew however late the work was done.
class PeriodicProgram final : public Program {
 public:
  PeriodicProgram(std::uint64_t period, std::uint64_t work) : period_(period), work_(work) {}

  Step next(Machine& machine, Task& /*task*/) override {
    if (std::exchange(working_, !working_)) {
      ++progress_.periods;
      ++progress_.units;
      progress_.missed += machine.now() > due_;
      if (machine.now() < due_) return {Step::Kind::kSleep, due_ - machine.now()};
      working_ = true;
    }
    due_ = machine.now() + period_;
    return {Step::Kind::kRun, work_};
  }

 private:
  std::uint64_t period_;
  std::uint64_t work_;
  std::uint64_t due_ = 0;
  bool working_ = false;
};

// Does what it is told.
class ProgramOf final : public Program {
 public:
  explicit ProgramOf(std::function<Step(Machine&, Progress&)> next) : next_(std::move(next)) {}
  Step next(Machine& machine, Task& /*task*/) override { return next_(machine, progress_); }

 private:
  std::function<Step(Machine&, Progress&)> next_;
};

class WorkloadOf final : public Workload {
 public:
  explicit WorkloadOf(std::function<void(Stage&)> begin) : begin_(std::move(begin)) {}
  void begin(Stage& stage) override { begin_(stage); }

 private:
  std::function<void(Stage&)> begin_;
};

inline CpuSet only(unsigned cpu) {
  CpuSet set;
  set.set(cpu);
  return set;
}

inline Task& hog_job(Stage& stage, int nice = 0, CpuSet on = {}) {
  return stage.start({.name = "hog",
                      .group = "hog",
                      .nice = nice,
                      .cpus = on,
                      .program = std::make_unique<HogProgram>()});
}

inline Task& frame_job(Stage& stage, std::uint64_t work = kMs) {
  return stage.start({.name = "frame",
                      .group = "frame",
                      .program = std::make_unique<PeriodicProgram>(16 * kMs, work)});
}

}  // namespace cppland::sim::testing
