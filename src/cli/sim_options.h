// SPDX-License-Identifier: GPL-2.0-only
// sim_options.h - the simulator's command line.
#pragma once

#include <cppland/scheduler.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/goodbye.h"
#include "sim/parameters.h"
#include "sim/workload.h"
#include "topology/topology.h"

namespace cppland::cli {

inline constexpr double kLongestSeconds = 86'400;  // of a run

struct SimOptions {
  std::vector<PolicyEntry> policies;  // the first is what the others are compared with
  std::string workload;
  Topology topology;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;
  std::optional<std::uint64_t> duration_ns;  // none: what the workload says
  sim::Parameters parameters{};
  std::string json;              // a file; "-": stdout, instead of the table; empty: none
  std::string trace;             // a file; empty: none
  sim::WorkloadSource source{};  // by prepare()
};

// @info has all policies that there are, the default first. --help, --version, --list and whatever
// makes no sense end in a Goodbye: status 0 for the first three, else 2 with one message.
[[nodiscard]] std::expected<SimOptions, Goodbye> parse_sim_options(const SchedulerInfo& info,
                                                                   int argc,
                                                                   const char* const* argv);

}  // namespace cppland::cli
