// SPDX-License-Identifier: GPL-2.0-only
// process_tree.cc - see process_tree.h.
#include "process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "base/file.h"

namespace cppland::load {

std::optional<Process> parse_process(std::string_view stat, long ticks_per_second) {
  // "PID (NAME) STATE PPID ...": the name may hold anything, so the last parenthesis ends it.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  Process process;
  std::istringstream before{std::string(stat.substr(0, name_end))};
  std::istringstream after{std::string(stat.substr(name_end + 1))};
  char state = 0;
  before >> process.pid;
  after >> state >> process.parent;
  constexpr int kFieldsBeforeTimes = 9;  // pgrp ... cmajflt
  std::string ignored;
  for (int i = 0; i < kFieldsBeforeTimes; ++i) {
    after >> ignored;
  }
  for (int i = 0; i < 4; ++i) {  // utime stime cutime cstime
    double ticks = 0;
    after >> ticks;
    process.cpu_seconds += ticks / static_cast<double>(ticks_per_second);
  }
  if (!before || !after) {
    return std::nullopt;
  }
  return process;
}

std::vector<Process> read_processes(const std::filesystem::path& proc) {
  const long ticks_per_second = sysconf(_SC_CLK_TCK);
  std::vector<Process> processes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(proc, error)) {
    const std::string name = entry.path().filename();
    if (name.empty() || !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    const auto stat = read_file(entry.path() / "stat");
    if (const auto process = stat ? parse_process(*stat, ticks_per_second) : std::nullopt) {
      processes.push_back(*process);
    }
  }
  return processes;
}

std::vector<Process> descendants(std::span<const Process> processes, pid_t root) {
  std::vector<Process> found;
  std::vector<pid_t> parents = {root};
  while (!parents.empty()) {
    std::vector<pid_t> children;
    for (const Process& process : processes) {
      if (std::ranges::find(parents, process.parent) != parents.end()) {
        found.push_back(process);
        children.push_back(process.pid);
      }
    }
    parents = std::move(children);
  }
  return found;
}

}  // namespace cppland::load
