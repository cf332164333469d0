// SPDX-License-Identifier: GPL-2.0-only
// description.h - what a dispatcher that runs says of itself to those who would take it over.
#pragma once

#include <abi/cppland_abi.h>

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "kernel/live/dispatcher.h"
#include "topology/domains.h"
#include "topology/topology.h"

namespace cppland::live {

// Copied once, and checked: others may write to that memory all the while.
struct Description {
  std::uint32_t reign = 0;
  std::uint32_t fixed = 0;  // enum cppland_fixed
  std::uint32_t timeout_ms = 0;
  Domains domains;
  std::vector<std::uint32_t> maps;  // their numbers
};

// Fails if it makes no sense on this machine. REQUIRES: it is of our version.
[[nodiscard]] Result<Description> read_description(const cppland_shm& shm,
                                                   const Topology& topology);

// Why agents with these options cannot take it over, and what to do.
[[nodiscard]] Result<void> check_compatible(const Description& running,
                                            const DispatcherOptions& options, bool one_agent);

// What is said, too, where --force would help.
inline constexpr std::string_view kForceWouldHelp =
    "with --force it is ended first, and loaded anew";

}  // namespace cppland::live
