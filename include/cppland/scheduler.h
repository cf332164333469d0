// SPDX-License-Identifier: GPL-2.0-only
// scheduler.h - from a policy to a scheduler: the main() of a program that schedules this machine.
#pragma once

#include <cppland/policy_host.h>

#include <memory>
#include <span>
#include <string_view>

namespace cppland {

// One policy that a scheduler offers.
struct PolicyEntry {
  std::string_view name;
  std::string_view summary;  // one line, for --help
  std::unique_ptr<PolicyRunner> (*make)(const PolicyConfig& config);
};

template <Policy P>
[[nodiscard]] constexpr PolicyEntry policy_entry(std::string_view name, std::string_view summary) {
  return {name, summary, [](const PolicyConfig& config) -> std::unique_ptr<PolicyRunner> {
            return std::make_unique<PolicyHost<P>>(config);
          }};
}

// What a scheduler is called, and its policies, the default first.
struct SchedulerInfo {
  std::string_view name;     // of the program, such as "scx_mine"; begins what root/ops shows
  std::string_view version;  // of the program
  std::span<const PolicyEntry> policies;
};

// Reads the command line (see --help), schedules the machine until a signal or the kernel ends it,
// and returns the process's exit status: 0 after a normal end, 1 after a failure, 2 for a bad
// command line. Messages go to stderr. To be called once, from main(), before any thread is
// started.
int scheduler_main(const SchedulerInfo& info, int argc, char** argv);

// The same for one policy: the whole program of an out-of-tree policy is
//
//   int main(int argc, char** argv) { return cppland::scheduler_main<Mine>("scx_mine", argc, argv);
//   }
template <Policy P>
int scheduler_main(std::string_view name, int argc, char** argv, std::string_view version = "0") {
  const PolicyEntry entry = policy_entry<P>(name, "the policy of this program");
  return scheduler_main({name, version, {&entry, 1}}, argc, argv);
}

}  // namespace cppland
