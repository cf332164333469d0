// SPDX-License-Identifier: GPL-2.0-only
// sim_topology.h - --cpus and --topology of the simulator: a machine that is made up.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "topology/topology.h"

namespace cppland::cli {

inline constexpr unsigned kMostCpus = 1024;  // what the dispatcher can serve
inline constexpr unsigned kLittleCapacity = Cpu::kFullCapacity / 2;

// @text is "sockets=2,cores=4,threads=2,nodes=2,llcs=1,little=0" in any order; what is left out is
// 1, but little 0, and cores as many as @cpus asks for. An error says which part is wrong.
[[nodiscard]] Result<Topology> make_topology(const std::string& text, std::optional<unsigned> cpus);

}  // namespace cppland::cli
