// SPDX-License-Identifier: GPL-2.0-only
// simulation.h - one run: a machine, a policy, a workload and a seed come to figures.
#pragma once

#include <cppland/scheduler.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "sim/figures.h"
#include "sim/parameters.h"
#include "sim/trace.h"
#include "sim/workload.h"
#include "topology/topology.h"

namespace cppland::sim {

struct Simulation {
  PolicyEntry policy;
  std::string workload;  // what it is called
  Topology topology;
  Parameters parameters{};
  std::uint64_t seed = 1;
  std::uint64_t duration_ns = 10'000'000'000;
};

// Called now and then with the part that is done, 0 to 1. Whether to go on.
using GoOn = std::function<bool(double done)>;

// The same arguments give the same figures and the same trace. @workload must be new. Fails only
// (ECANCELED) if @go_on says so, or the trace cannot be written; if the modelled kernel ends the
// scheduler, the figures are up to then, and say why. One at a time in a process.
[[nodiscard]] Result<RunFigures> simulate(const Simulation& simulation, Workload& workload,
                                          TraceWriter* trace = nullptr, const GoOn& go_on = {});

}  // namespace cppland::sim
