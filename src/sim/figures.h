// SPDX-License-Identifier: GPL-2.0-only
// figures.h - what one simulated run has come to, and the recorder that finds out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/sim/machine.h"
#include "sim/workload.h"
#include "stats/histogram.h"

namespace cppland::sim {

// Of one class of tasks. Latencies are from a wake-up until the task runs. docs/simulator.md says
// what each figure means.
struct ClassFigures {
  std::string name;
  std::uint64_t tasks = 0;
  std::uint64_t wakeups = 0;
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
  std::uint64_t periods = 0;
  std::uint64_t missed = 0;
  double cpu_seconds = 0;
  std::uint64_t units = 0;
};

// Among the tasks that wanted a CPU all the time and may use all of them.
struct Fairness {
  double jain = 1;      // Jain's index of their CPU time
  double weighted = 1;  // the same, each divided by what is fair by weight
  std::uint64_t tasks = 0;
  std::vector<std::string> classes{};
};

struct RunFigures {
  std::string policy;
  std::string workload;
  unsigned cpus = 0;
  std::uint64_t seed = 0;
  double seconds = 0;
  std::vector<ClassFigures> classes;  // in the order in which they came
  ClassFigures all;
  Fairness fairness;
  double throughput = 0;
  std::uint64_t migrations = 0;
  double agent_share = 0;
  std::uint64_t decisions = 0;
  std::uint64_t kernel_dispatches = 0;
  std::uint64_t events = 0;
  std::uint64_t failovers = 0;
  Exit exit;
};

// Listens to a machine. Costs a few additions for each event, and no allocation but for tasks that
// are new.
class Recorder final : public Observer {
 public:
  // @also hears everything, too, if it is not null.
  explicit Recorder(Observer* also = nullptr) : also_(also) {}

  // Tells of a task of the workload, when it has been started. The rest of what the machine runs
  // (the agent) is in no class. REQUIRES: the task lives until finish().
  void add(const Task& task, std::string_view group, const Program& program);

  void woke(const Task& task, std::uint64_t at) override;
  void began(const Task& task, int cpu, std::uint64_t at) override;
  void ended(const Task& task, int cpu, std::uint64_t at) override;

  // The workload is there, and the machine about to be attached: it is @now.
  void begin(std::uint64_t now) { begin_ = now; }
  // Fills in what is known of tasks and of their classes. To be called once, when the machine has
  // stopped.
  void finish(const Machine& machine, RunFigures& run);

 private:
  struct Record {
    const Task* task = nullptr;
    const Program* program = nullptr;
    std::uint32_t group = 0;
    std::uint32_t woken = 0;  // how often
    std::uint64_t start = 0;  // its first wake-up
  };
  struct Group {
    ClassFigures figures;
    Histogram latency{};
  };

  Record& record_of(const Task& task);
  std::uint32_t group_of(std::string_view name);
  [[nodiscard]] Fairness fairness(const Machine& machine) const;
  [[nodiscard]] bool wanted_all(const Record& record, const Machine& machine) const;
  // It was there from the beginning, and has not woken up since. All of these start at once, which
  // says nothing of a wake-up.
  [[nodiscard]] bool only_started(const Record& record) const noexcept {
    return record.woken == 1 && record.start == begin_;
  }

  Observer* also_;
  std::vector<Record> records_;  // by pid
  std::vector<Group> groups_;
  std::uint64_t begin_ = 0;
};

}  // namespace cppland::sim
