// SPDX-License-Identifier: GPL-2.0-only
// sim_runs.h - all the runs that a command line asks for.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/sim_options.h"
#include "sim/figures.h"
#include "sim/trace.h"

namespace cppland::cli {

// What is worth to be known before the first run: makes @options whole by what the workload says,
// and returns notes for who reads the figures. Fails if it cannot be read, or cannot play there.
[[nodiscard]] Result<std::vector<std::string>> prepare(SimOptions& options);

// Told what is being run and the part of everything that is done. Whether to go on.
using Watch = std::function<bool(std::string_view what, double done)>;

// Every policy with every seed, in that order; several at the same time, if there are CPUs. Fails
// with ECANCELED if @watch does not go on, or the trace cannot be written. REQUIRES: if there is a
// @trace, there is one run; prepare() has been called; this process has one thread.
[[nodiscard]] Result<std::vector<sim::RunFigures>> run_all(const SimOptions& options,
                                                           sim::TraceWriter* trace,
                                                           const Watch& watch);

}  // namespace cppland::cli
