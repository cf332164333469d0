// SPDX-License-Identifier: GPL-2.0-only
// play.h - a workload played on a modelled machine, for tests of workloads.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kernel/sim/machine.h"
#include "sim/workload.h"
#include "tests/support/behaviours.h"

namespace cppland::sim::testing {

// Writes down when tasks ran, in us since the beginning.
class Diary : public Observer {
 public:
  explicit Diary(std::uint64_t zero) : zero_(zero) {}

  void began(const Task& task, int cpu, std::uint64_t at) override {
    since_[&task] = at;
    cpus_ += fmt::format("{}@{} ", task.name, cpu);
    text_ += fmt::format("{} {} {}\n", task.pid, cpu, at);
  }
  void ended(const Task& task, int /*cpu*/, std::uint64_t at) override {
    ran_[task.name] += fmt::format("{}-{} ", (since_[&task] - zero_) / 1000, (at - zero_) / 1000);
    text_ += fmt::format("{} {}\n", task.pid, at);
  }

  // "0-10 20-30 " for a task that ran twice; what it runs at the end is not there.
  [[nodiscard]] std::string ran(const std::string& name) const {
    const auto found = ran_.find(name);
    return found == ran_.end() ? "" : found->second;
  }
  // Who began where, in order.
  [[nodiscard]] const std::string& cpus() const { return cpus_; }
  // All of it, to the nanosecond.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::uint64_t zero_;
  std::map<const Task*, std::uint64_t> since_;
  std::map<std::string, std::string> ran_;
  std::string cpus_;
  std::string text_;
};

// The kernel's work takes no time, so that tasks run to the microsecond as they ask.
inline MachineOptions at_no_cost() {
  return {.costs = {.timer_interrupt = 0,
                    .wake_up = 0,
                    .wake_call = 0,
                    .dispatch = 0,
                    .context_switch = 0,
                    .migration = 0,
                    .cold_cache = 0,
                    .interrupt_to_cpu = 0,
                    .exit = 0}};
}

class Play : public Stage {
 public:
  struct Started {
    const Task* task;
    const Program* program;
    std::string group;
  };

  Play(std::unique_ptr<Workload> workload, unsigned nr_cpus, const MachineOptions& options = {},
       std::uint64_t seed = 1)
      : workload_(std::move(workload)),
        diary_(1'000'000'000),  // where a machine's time begins
        machine_(testing::cpus(nr_cpus), options, &diary_),
        random_(seed) {
    workload_->begin(*this);
  }

  Task& start(Job job) override {
    const Program* program = job.program.get();
    Task& task = machine_.start({.name = std::move(job.name),
                                 .nice = job.nice,
                                 .cpus = job.cpus,
                                 .behaviour = std::move(job.program)});
    started_.push_back({&task, program, std::move(job.group)});
    return task;
  }
  Machine& machine() noexcept override { return machine_; }
  Random& random() noexcept override { return random_; }

  void run(std::uint64_t ns) {
    if (!machine_.attached()) machine_.attach();
    machine_.run(machine_.now() + ns);
  }

  [[nodiscard]] const std::vector<Started>& started() const { return started_; }
  [[nodiscard]] const Diary& diary() const { return diary_; }
  [[nodiscard]] std::string ran(const std::string& name) const { return diary_.ran(name); }
  // Of all tasks of the group.
  [[nodiscard]] Progress progress(std::string_view group) const {
    Progress sum;
    for (const Started& each : started_) {
      if (each.group != group) continue;
      sum.periods += each.program->progress().periods;
      sum.missed += each.program->progress().missed;
      sum.units += each.program->progress().units;
    }
    return sum;
  }
  [[nodiscard]] std::size_t count(std::string_view group) const {
    return static_cast<std::size_t>(
        std::ranges::count(started_, group, [](const Started& each) { return each.group; }));
  }
  [[nodiscard]] const Task& task(std::string_view name) const {
    return *std::ranges::find(started_, name, [](const Started& each) {
              return std::string_view(each.task->name);
            })->task;
  }

 private:
  std::unique_ptr<Workload> workload_;
  Diary diary_;
  Machine machine_;
  Random random_;
  std::vector<Started> started_;
};

}  // namespace cppland::sim::testing
