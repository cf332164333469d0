// SPDX-License-Identifier: GPL-2.0-only
// description.cc - what a dispatcher that runs says of itself to those who would take it over.
#include "kernel/live/description.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

namespace cppland::live {
namespace {

std::unexpected<Error> no_sense(std::string_view what) {
  return error(EINVAL, "--upgrade: the running dispatcher says of itself that {}: {}", what,
               kForceWouldHelp);
}

// All that is looked at, as it was at one time.
struct Copy {
  explicit Copy(const cppland_shm& shm) noexcept
      : reign(once(shm.reign)),
        fixed(once(shm.fixed)),
        timeout_ms(once(shm.timeout_ms)),
        nr_cpu_ids(once(shm.nr_cpu_ids)),
        nr_domains(once(shm.nr_domains)),
        nr_maps(once(shm.nr_maps)) {
    std::memcpy(map_id.data(), shm.map_id, sizeof(map_id));
    std::memcpy(domain_of_cpu.data(), shm.domain_of_cpu, sizeof(domain_of_cpu));
  }

  static std::uint32_t once(const __u32& word) noexcept {
    return std::atomic_ref(const_cast<__u32&>(word)).load(std::memory_order_relaxed);
  }

  std::uint32_t reign;
  std::uint32_t fixed;
  std::uint32_t timeout_ms;
  std::uint32_t nr_cpu_ids;
  std::uint32_t nr_domains;
  std::uint32_t nr_maps;
  std::array<__u32, CPPLAND_MAX_MAPS> map_id{};
  std::array<__u8, CPPLAND_MAX_CPUS> domain_of_cpu{};
};

}  // namespace

Result<Description> read_description(const cppland_shm& shm, const Topology& topology) {
  const Copy given(shm);
  if (given.nr_cpu_ids != topology.nr_cpu_ids()) return no_sense("it is for other CPUs");
  if (given.nr_domains == 0 || given.nr_domains > CPPLAND_MAX_DOMAINS)
    return no_sense(fmt::format("it has {} agents", given.nr_domains));
  if (given.nr_maps > CPPLAND_MAX_MAPS)
    return no_sense(fmt::format("it has {} maps", given.nr_maps));
  Description made{.reign = given.reign,
                   .fixed = given.fixed,
                   .timeout_ms = given.timeout_ms,
                   .domains = Domains(given.nr_domains)};
  const auto maps = std::span(given.map_id).first(given.nr_maps);
  made.maps.assign(maps.begin(), maps.end());
  for (const Cpu& cpu : topology.cpus()) {
    const unsigned domain = given.domain_of_cpu[cpu.id];
    if (domain >= given.nr_domains)
      return no_sense(fmt::format("CPU {} has agent {} of {}", cpu.id, domain, given.nr_domains));
    made.domains[domain].push_back(cpu.id);
  }
  if (std::ranges::any_of(made.domains, &std::vector<unsigned>::empty))
    return no_sense("an agent has no CPUs");
  return made;
}

Result<void> check_compatible(const Description& running, const DispatcherOptions& options,
                              bool one_agent) {
  const auto has = [&](std::uint32_t what) { return (running.fixed & what) != 0; };
  const auto differs = [](std::string_view flag, bool was_given) {
    return error(EINVAL, "--upgrade: the running dispatcher was loaded {} {}, which stays so: {}",
                 was_given ? "with" : "without", flag, kForceWouldHelp);
  };
  if (has(CPPLAND_FIXED_PARTIAL) != options.partial) return differs("--partial", !options.partial);
  if (has(CPPLAND_FIXED_NUMA_LOCAL) != options.numa_local)
    return differs("--numa-local", !options.numa_local);
  if (one_agent && running.domains.size() > 1) return differs("--one-agent", false);
  if (options.max_wait_ms > running.timeout_ms / 2)
    return error(EINVAL,
                 "--upgrade: --max-wait-ms ({}) is more than half of the watchdog's timeout with "
                 "which the running dispatcher was loaded ({} ms): {}",
                 options.max_wait_ms, running.timeout_ms, kForceWouldHelp);
  return {};
}

}  // namespace cppland::live
