// SPDX-License-Identifier: GPL-2.0-only
// loaded.h - a dispatcher that this process loads into the kernel.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "kernel/live/dispatcher.h"
#include "topology/domains.h"
#include "topology/topology.h"

namespace cppland::live {

// Opens, configures and loads; does not schedule before attach(). In partial mode there must be one
// domain.
[[nodiscard]] Result<std::unique_ptr<Dispatcher>> load(const DispatcherOptions& options,
                                                       const Topology& topology,
                                                       const Domains& domains);

// CPUs that have gone or come since the kernel was started.
[[nodiscard]] Result<std::uint64_t> hotplug_events();

}  // namespace cppland::live
