// SPDX-License-Identifier: GPL-2.0-only
// rtapp_events.h - the events of rt-app's files, made Ops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sim/workloads/rtapp_json.h"
#include "sim/workloads/rtapp_plan.h"

namespace cppland::sim::rtapp {

// Whether rt-app takes @key for an event: by what it begins with, as in "run0".
[[nodiscard]] bool is_event(std::string_view key);

// Numbers names, from 0 on.
class Names {
 public:
  std::size_t of(const std::string& name) { return numbers_.emplace(name, size()).first->second; }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  std::map<std::string, std::size_t> numbers_;
};

// Reads the events of one file's tasks. Mutexes, conditions and so on are shared by whoever names
// them, each kind with its own names; "suspend" and "resume" use a condition and a mutex of their
// name.
class EventReader {
 public:
  // REQUIRES: @plan outlives it, and has all tasks' names.
  explicit EventReader(Plan& plan) : plan_(plan) {}

  void set_io(std::string device, std::uint64_t buffer) {
    device_ = std::move(device);
    buffer_ = buffer;
  }

  // The events that follow belong to this task.
  void begin_task(const std::string& name, std::uint64_t instances);

  // Adds an event to @ops, and to @own_timers the thread's own timer that it names first.
  Result<void> read(const Member& member, std::vector<Op>& ops, std::vector<bool>& own_timers);

 private:
  Result<void> read_timer(const Member& member, std::vector<Op>& ops,
                          std::vector<bool>& own_timers);
  Result<void> read_wait(const Member& member, std::vector<Op>& ops, bool signal_first);
  Result<void> read_named(const Member& member, std::string_view event, std::vector<Op>& ops);
  Result<void> read_barrier(const Member& member, std::vector<Op>& ops);
  Result<void> read_bytes(const Member& member, bool io, std::vector<Op>& ops);
  Result<void> read_fork(const Member& member, std::vector<Op>& ops);
  void note(std::string text);

  Plan& plan_;
  Names mutexes_;
  Names conditions_;
  Names semaphores_;
  Names timers_;
  Names barriers_;
  Names own_timers_;  // of the task
  std::string task_;
  std::uint64_t instances_ = 1;
  std::string device_ = "/dev/null";
  std::uint64_t buffer_ = 4U << 20U;
};

}  // namespace cppland::sim::rtapp
