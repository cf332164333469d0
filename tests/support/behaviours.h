// SPDX-License-Identifier: GPL-2.0-only
// behaviours.h - tasks for tests of the modelled machine, and a log of what it does with them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernel/sim/machine.h"

namespace cppland::sim::testing {

inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kSec = 1'000 * kMs;

class Hog : public Behaviour {
 public:
  Step next(Machine&, Task&) override { return {Step::Kind::kRun, 10 * kSec}; }
};

class Periodic : public Behaviour {
 public:
  Periodic(std::uint64_t period, std::uint64_t work) : period_(period), work_(work) {}
  Step next(Machine& machine, Task&) override {
    if (std::exchange(worked_, !worked_)) {
      next_ = std::max(next_ + period_, machine.now() + 1);
      return {Step::Kind::kSleep, next_ - machine.now()};
    }
    if (next_ == 0) next_ = machine.now();
    return {Step::Kind::kRun, work_};
  }

 private:
  std::uint64_t period_;
  std::uint64_t work_;
  std::uint64_t next_ = 0;
  bool worked_ = false;
};

class Once : public Behaviour {
 public:
  explicit Once(std::vector<Step> steps) : steps_(std::move(steps)) {}
  Step next(Machine&, Task&) override {
    return at_ < steps_.size() ? steps_[at_++] : Step{Step::Kind::kExit, 0};
  }

 private:
  std::vector<Step> steps_;
  std::size_t at_ = 0;
};

// The same steps for ever.
class Cycle : public Behaviour {
 public:
  explicit Cycle(std::vector<Step> steps) : steps_(std::move(steps)) {}
  Step next(Machine&, Task&) override { return steps_[at_++ % steps_.size()]; }

 private:
  std::vector<Step> steps_;
  std::size_t at_ = 0;
};

// Remembers every wait, and writes down who ran where and when.
class Log : public Observer {
 public:
  void woke(const Task& task, std::uint64_t at) override { note('w', task, -1, at); }
  void began(const Task& task, int cpu, std::uint64_t at) override {
    note('b', task, cpu, at);
    if (task.woken_at != 0 && task.name == "frame") waits.push_back(at - task.woken_at);
  }
  void ended(const Task& task, int cpu, std::uint64_t at) override { note('e', task, cpu, at); }

  std::vector<std::uint64_t> waits;
  std::string text;

 private:
  void note(char what, const Task& task, int cpu, std::uint64_t at) {
    text += what + std::to_string(task.pid) + '@' + std::to_string(cpu) + ':' + std::to_string(at) +
            '\n';
  }
};

// Equal CPUs with one last level of cache.
inline Topology cpus(unsigned n) {
  std::vector<Cpu> all;
  all.reserve(n);
  for (unsigned id = 0; id < n; ++id) all.push_back({.id = id, .core = id});
  return Topology(std::move(all));
}

inline Task& hog(Machine& machine, int nice = 0, CpuSet on = {}) {
  return machine.start(
      {.name = "hog", .nice = nice, .cpus = on, .behaviour = std::make_unique<Hog>()});
}

}  // namespace cppland::sim::testing
