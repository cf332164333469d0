// SPDX-License-Identifier: GPL-2.0-only
// scx_priority.cc - a policy that would starve tasks: whoever has the greatest weight always runs
// first. What it does not serve, the dispatcher must.
#include <cppland/cppland.h>

struct Priority {
  static constexpr bool kStrict = true;  // it is asked about every choice
  struct Task : cppland::Task {};

  explicit Priority(const cppland::PolicyConfig&) {}

  void ready(Task& task, const cppland::Moment&) { queue.insert(task, 20'000 - task.weight); }
  void gone(Task& task) { queue.erase(task); }

  cppland::Decision next(const cppland::Moment&) {
    if (queue.empty()) return {};
    const std::uint64_t key = queue.first_key();
    return {.task = &queue.pop(), .key = key};
  }

  cppland::OrderedTasks<Task> queue;
};

int main(int argc, char** argv) {
  return cppland::scheduler_main<Priority>("scx_priority", argc, argv, "1.0");
}
