// SPDX-License-Identifier: GPL-2.0-only
// domain_tables.h - domains as the dispatcher has them: bpf/state.bpf.h says what each is.
#pragma once

#include <abi/cppland_abi.h>

#include <bit>
#include <cstdint>

#include "topology/domains.h"

namespace cppland {

// Where they lie in the dispatcher's memory.
struct DomainTables {
  std::uint32_t& nr_cpus;
  std::uint32_t& nr_domains;
  std::uint32_t& domain_mask;
  std::uint8_t* domain_of_cpu;   // CPPLAND_MAX_CPUS
  std::uint16_t* cpu_by_domain;  // CPPLAND_MAX_CPUS
  std::uint16_t* domain_begin;   // CPPLAND_MAX_DOMAINS + 1
};

// As many channels as there must be for @domains: two for each, which the dispatcher's mask finds.
inline std::size_t nr_channels(std::size_t domains) { return 2 * std::bit_ceil(domains); }

// Where the channel is that the agent of @domain has in a reign.
inline std::size_t channel_of(std::size_t domains, std::size_t domain, std::uint32_t reign) {
  return (reign % 2) * nr_channels(domains) / 2 + domain;
}

// REQUIRES: there are no more domains and CPUs than the tables have room for.
inline void fill(const DomainTables& tables, const Domains& domains) {
  tables.nr_domains = static_cast<std::uint32_t>(domains.size());
  tables.domain_mask = static_cast<std::uint32_t>(nr_channels(domains.size()) / 2 - 1);
  std::uint16_t n = 0;
  for (std::size_t d = 0; d < domains.size(); ++d) {
    for (const unsigned cpu : domains[d]) {
      tables.domain_of_cpu[cpu] = static_cast<std::uint8_t>(d);
      tables.cpu_by_domain[n++] = static_cast<std::uint16_t>(cpu);
    }
    tables.domain_begin[d + 1] = n;
  }
  tables.nr_cpus = n;
}

}  // namespace cppland
