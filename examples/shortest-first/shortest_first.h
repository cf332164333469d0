// SPDX-License-Identifier: GPL-2.0-only
// shortest_first.h - whoever is expected to be done soonest runs first.
//
// What a task used when it last ran foretells what it will use next, averaged with what it used
// before. A long task is not starved: the order is by a point in time, the beginning of the wait
// plus eight times the expected use, so that whoever has waited long enough comes before everybody
// who has just arrived.
#pragma once

#include <cppland/policy.h>

struct ShortestFirst {
  struct Task : cppland::Task {
    std::uint64_t expected_ns = 0;
  };

  explicit ShortestFirst(const cppland::PolicyConfig&) {}

  void ready(Task& task, const cppland::Moment&) {
    task.expected_ns = (task.expected_ns + task.used_ns) / 2;
    queue.insert(task, task.ready_ns + 8 * task.expected_ns);
  }

  void gone(Task& task) { queue.erase(task); }

  cppland::Decision next(const cppland::Moment&) {
    if (queue.empty()) return {};
    const std::uint64_t key = queue.first_key();
    return {.task = &queue.pop(), .key = key};
  }

  cppland::OrderedTasks<Task> queue;
};
