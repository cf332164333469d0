// SPDX-License-Identifier: GPL-2.0-only
// told.h - what the agent is told of tasks: all of it, and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "kernel/sim/machine.h"

namespace cppland::sim {

// Reads the rings of events beside the agents, before anything is written over.
class Told {
 public:
  // An agent's own time is not told of, should it be none any more.
  void expect_agent(const Task& task) { agents_.insert(task.pid); }
  // @exact: CPUs do not tell of one task at once. What is wrong with what has been told since.
  [[nodiscard]] std::string listen(const Machine& machine, bool exact);
  // Whether a task that is dead is known, and has not been told to be gone.
  [[nodiscard]] bool misses(const Task& task, std::uint64_t now);

 private:
  struct Of {
    std::uint64_t total_ns = 0;
    std::uint32_t domain = 0;  // whose agent heard last that it is there
    std::uint64_t dead_since = 0;
    bool gone = false;
  };

  [[nodiscard]] std::string hear(const cppland_event& event, bool exact);

  std::map<const cppland_channel*, std::uint64_t> read_;
  std::unordered_map<std::int32_t, Of> tasks_;
  std::unordered_set<std::int32_t> agents_;
};

}  // namespace cppland::sim
