// SPDX-License-Identifier: GPL-2.0-only
// description_fuzz.cc - any bytes as what a running dispatcher says of itself: refused, or what
// somebody can take over.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernel/live/description.h"
#include "tests/support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cppland::testing::FuzzBytes;
  using cppland::testing::require;
  FuzzBytes bytes(data, size);
  const unsigned nr_cpus = 1 + bytes.take<std::uint8_t>() % 16;
  std::vector<cppland::Cpu> cpus;
  cpus.reserve(nr_cpus);
  for (unsigned id = 0; id < nr_cpus; ++id) cpus.push_back({.id = id, .core = id});
  const cppland::Topology topology(std::move(cpus), false);

  const auto shm = std::make_unique<cppland_shm>();
  shm->nr_cpu_ids = nr_cpus;
  shm->nr_domains = 1;
  shm->timeout_ms = 5000;
  // Here and there something else than what is right.
  auto* const memory = reinterpret_cast<std::uint8_t*>(shm.get());
  while (!bytes.empty()) {
    const std::size_t at = bytes.take<std::uint16_t>() % offsetof(cppland_shm, cpu);
    memory[at] = bytes.take<std::uint8_t>();
  }
  const auto description = cppland::live::read_description(*shm, topology);
  if (!description) {
    require(description.error().tried().starts_with("--upgrade: "));
    return 0;
  }
  require(!description->domains.empty() && description->domains.size() <= CPPLAND_MAX_DOMAINS);
  std::size_t seen = 0;
  for (const auto& domain : description->domains) {
    require(!domain.empty());
    seen += domain.size();
  }
  require(seen == nr_cpus && description->maps.size() <= CPPLAND_MAX_MAPS);
  for (const bool partial : {false, true}) {
    const auto possible =
        check_compatible(*description, {.name = "x", .partial = partial}, partial);
    require(possible || possible.error().tried().starts_with("--upgrade: "));
  }
  return 0;
}
