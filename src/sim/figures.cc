// SPDX-License-Identifier: GPL-2.0-only
// figures.cc - from what a machine tells to figures.
#include "sim/figures.h"

#include <algorithm>
#include <iterator>

#include "stats/fairness.h"

namespace cppland::sim {
namespace {

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }
double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

void put_latencies(const Histogram& latency, ClassFigures& figures) {
  figures.wakeups = latency.count();
  figures.p50_us = microseconds(latency.quantile(0.5));
  figures.p99_us = microseconds(latency.quantile(0.99));
  figures.max_us = microseconds(latency.max());
}

void add_counts(const ClassFigures& from, ClassFigures& to) {
  to.tasks += from.tasks;
  to.periods += from.periods;
  to.missed += from.missed;
  to.cpu_seconds += from.cpu_seconds;
  to.units += from.units;
}

}  // namespace

Recorder::Record& Recorder::record_of(const Task& task) {
  const auto i = static_cast<std::size_t>(task.pid);
  if (i >= records_.size()) records_.resize(i + 1);
  return records_[i];
}

std::uint32_t Recorder::group_of(std::string_view name) {
  const auto known =
      std::ranges::find_if(groups_, [&](const Group& group) { return group.figures.name == name; });
  const auto i = std::distance(groups_.begin(), known);
  if (known == groups_.end()) groups_.push_back({.figures = {.name = std::string(name)}});
  return static_cast<std::uint32_t>(i);
}

void Recorder::add(const Task& task, std::string_view group, const Program& program) {
  Record& record = record_of(task);
  record.task = &task;
  record.program = &program;
  record.group = group_of(group.empty() ? task.name : group);
}

void Recorder::woke(const Task& task, std::uint64_t at) {
  Record& record = record_of(task);
  if (record.woken++ == 0) record.start = at;
  if (also_) also_->woke(task, at);
}

void Recorder::began(const Task& task, int cpu, std::uint64_t at) {
  if (task.woken_at != 0) {
    const Record& record = record_of(task);
    if (record.task && !only_started(record))
      groups_[record.group].latency.record(at - std::min(at, task.woken_at));
  }
  if (also_) also_->began(task, cpu, at);
}

void Recorder::ended(const Task& task, int cpu, std::uint64_t at) {
  if (also_) also_->ended(task, cpu, at);
}

void Recorder::finish(const Machine& machine, RunFigures& run) {
  const std::uint64_t end = machine.now();
  for (const Record& record : records_) {
    if (!record.task) continue;
    const Task& task = *record.task;
    Group& group = groups_[record.group];
    // Who still waits has waited at least for so long.
    if (task.state == TaskState::kWaiting && task.woken_at != 0 && !only_started(record))
      group.latency.record(end - task.woken_at);
    const Progress& progress = record.program->progress();
    add_counts({.tasks = 1,
                .periods = progress.periods,
                .missed = progress.missed,
                .cpu_seconds = seconds(task.se.sum_exec_runtime),
                .units = progress.units},
               group.figures);
    run.migrations += task.migrations;
  }
  Histogram all;
  run.all.name = "all";
  for (Group& group : groups_) {
    put_latencies(group.latency, group.figures);
    all.merge(group.latency);
    add_counts(group.figures, run.all);
    run.classes.push_back(group.figures);
  }
  put_latencies(all, run.all);
  run.fairness = fairness(machine);
}

Fairness Recorder::fairness(const Machine& machine) const {
  const std::uint64_t lasted = machine.now() - begin_;
  std::vector<double> used;
  std::vector<double> weights;
  std::vector<bool> has_some(groups_.size());
  double sum = 0;
  for (const Record& record : records_) {
    if (!record.task || !wanted_all(record, machine)) continue;
    used.push_back(seconds(record.task->se.sum_exec_runtime));
    weights.push_back(record.task->scx.weight);
    sum += used.back();
    has_some[record.group] = true;
  }
  Fairness fairness{.jain = jain_index(used), .tasks = used.size()};
  const std::vector<double> fair = fair_shares(sum, weights, seconds(lasted));
  for (std::size_t i = 0; i < used.size(); ++i) used[i] = fair[i] > 0 ? used[i] / fair[i] : 1;
  fairness.weighted = jain_index(used);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (has_some[i]) fairness.classes.push_back(groups_[i].figures.name);
  }
  return fairness;
}

// It was there from the beginning, has not slept since, and could have used any CPU.
bool Recorder::wanted_all(const Record& record, const Machine& machine) const {
  const Task& task = *record.task;
  const bool runs = task.state == TaskState::kWaiting || task.state == TaskState::kRunning;
  return runs && only_started(record) &&
         std::ranges::all_of(machine.topology().cpus(), [&](const Cpu& cpu) {
           return !cpu.online || task.allowed.test(cpu.id);
         });
}

}  // namespace cppland::sim
