// SPDX-License-Identifier: GPL-2.0-only
// process_tree.h - which processes descend from one, and the CPU time they used.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace cppland::load {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  double cpu_seconds =
      0;  // of all its threads, and of its children that have ended and were waited for

  bool operator==(const Process&) const = default;
};

// The content of /proc/PID/stat; nothing if it makes no sense.
std::optional<Process> parse_process(std::string_view stat, long ticks_per_second);

// All processes there are.
std::vector<Process> read_processes(const std::filesystem::path& proc = "/proc");

// Those of PROCESSES that descend from ROOT, without ROOT itself.
std::vector<Process> descendants(std::span<const Process> processes, pid_t root);

}  // namespace cppland::load
