// SPDX-License-Identifier: GPL-2.0-only
// domains.h - which CPUs have an agent of their own: those that share a cache.
#pragma once

#include <vector>

#include "topology/topology.h"

namespace cppland {

// So few CPUs are not worth an agent of their own.
inline constexpr unsigned kLeastDomainCpus = 4;

// The CPUs of each domain, ascending by id. Each CPU of the machine is in one; each domain has
// online CPUs.
using Domains = std::vector<std::vector<unsigned>>;

// One domain with all CPUs.
[[nodiscard]] Domains one_domain(const Topology& topology);

// A domain for each last-level cache, in the order of their numbers; neighbours are taken together
// until a domain has @least_cpus, and so that there are no more than @most. CPUs that are offline,
// of which nobody knows where they are, are in the first. REQUIRES: @most > 0.
[[nodiscard]] Domains llc_domains(const Topology& topology, unsigned least_cpus, unsigned most);

}  // namespace cppland
