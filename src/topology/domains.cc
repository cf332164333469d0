// SPDX-License-Identifier: GPL-2.0-only
// domains.cc - which CPUs have an agent of their own: those that share a cache.
#include "topology/domains.h"

#include <algorithm>

namespace cppland {

Domains one_domain(const Topology& topology) {
  Domains domains(1);
  for (const Cpu& cpu : topology.cpus()) domains.front().push_back(cpu.id);
  return domains;
}

Domains llc_domains(const Topology& topology, unsigned least_cpus, unsigned most) {
  Domains by_llc(topology.nr_llcs());
  for (const Cpu& cpu : topology.cpus())
    if (cpu.online) by_llc[cpu.llc].push_back(cpu.id);

  // With so many CPUs in each there are no more than that.
  const std::size_t least = std::max(least_cpus, (topology.nr_online() + most - 1) / most);
  Domains domains;
  bool full = true;
  for (const std::vector<unsigned>& llc : by_llc) {
    if (full) domains.emplace_back();
    domains.back().insert(domains.back().end(), llc.begin(), llc.end());
    full = domains.back().size() >= least;
  }
  if (!full && domains.size() > 1) {
    const std::vector<unsigned> rest = std::move(domains.back());
    domains.pop_back();
    domains.back().insert(domains.back().end(), rest.begin(), rest.end());
  }
  for (const Cpu& cpu : topology.cpus())
    if (!cpu.online) domains.front().push_back(cpu.id);
  for (std::vector<unsigned>& domain : domains) std::ranges::sort(domain);
  return domains;
}

}  // namespace cppland
