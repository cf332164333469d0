// SPDX-License-Identifier: GPL-2.0-only
// sim_workers.h - several runs at the same time, each in a process of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/result.h"
#include "sim/figures.h"
#include "sim/simulation.h"

namespace cppland::cli {

// Does one of the runs, by its number.
using DoRun = std::function<Result<sim::RunFigures>(std::size_t number, const sim::GoOn& go_on)>;

// Told the number of a run that has come further, and the part of everything that is done. Whether
// to go on.
using RunsGoOn = std::function<bool(std::size_t number, double done)>;

// All runs from 0 to @n - 1, in their order, by @workers processes. (There can be one machine only
// in each.) What they come to does not depend on how many there are, but Fairness::tasks and
// ::classes get lost on the way. Fails with the first error of a run, or with ECANCELED if @go_on
// says so. REQUIRES: this process has one thread; workers is not 0.
[[nodiscard]] Result<std::vector<sim::RunFigures>> run_in_workers(std::size_t n,
                                                                  std::size_t workers,
                                                                  const DoRun& do_run,
                                                                  const RunsGoOn& go_on);

}  // namespace cppland::cli
