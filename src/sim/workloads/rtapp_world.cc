// SPDX-License-Identifier: GPL-2.0-only
// rtapp_world.cc - see rtapp_world.h.
#include "sim/workloads/rtapp_world.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "sim/workloads/rtapp_thread.h"

namespace cppland::sim::rtapp {
namespace {

constexpr unsigned kMostForks = 1024;  // rt-app's FORKS_LIMIT

Job job_of(World& world, const TaskPlan& task, std::string name, std::uint64_t first) {
  const CpuSet& of_phase = task.phases.front().cpus;
  return {.name = std::move(name),
          .group = task.name,
          .nice = task.idle ? kIdleNice : task.nice,
          .cpus = of_phase.empty() ? task.cpus : of_phase,
          .program = std::make_unique<Thread>(world, task, first)};
}

}  // namespace

bool Mutex::lock(Waiter& waiter) {
  if (locked) {
    queue.add(waiter);
    return false;
  }
  locked = true;
  return true;
}

bool Mutex::unlock(Machine& machine) {
  locked = false;
  return queue.wake_one(machine);
}

std::uint64_t Timer::advance(std::uint64_t period, std::uint64_t first, std::uint64_t now) {
  if (!std::exchange(used, true)) next = first;
  next += period;
  const std::uint64_t due = next;
  if (due <= now && !absolute) next = now;
  return due;
}

World::World(Plan plan) : plan_(std::move(plan)), forks_(plan_.tasks.size()) {
  mutexes.resize(plan_.mutexes);
  conditions.resize(plan_.conditions);
  semaphores.resize(plan_.semaphores);
  for (const bool absolute : plan_.timers) timers.push_back({.absolute = absolute});
  for (const std::uint64_t users : plan_.barriers)
    barriers.push_back({.missing = users > 0 ? users - 1 : 0});
}

void World::start_all(Stage& stage) {
  stage_ = &stage;
  zero = stage.machine().now();
  for (const TaskPlan& task : plan_.tasks) {
    for (std::uint64_t i = 0; i < task.instances; ++i) {
      std::string name = task.instances == 1 ? task.name : fmt::format("{}-{}", task.name, i);
      stage.start(job_of(*this, task, std::move(name), zero + task.delay));
    }
  }
}

bool World::fork(std::size_t task) {
  if (forks_[task] == kMostForks) return false;
  const TaskPlan& plan = plan_.tasks[task];
  std::string name = fmt::format("{}-fork{}", plan.name, forks_[task]++);
  stage_->start(job_of(*this, plan, std::move(name), stage_->machine().now() + plan.delay));
  return true;
}

}  // namespace cppland::sim::rtapp
