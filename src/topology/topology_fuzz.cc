// SPDX-License-Identifier: GPL-2.0-only
// topology_fuzz.cc - any bytes as a sysfs tree: refused, or a topology that keeps its promises.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/sysfs_tree.h"
#include "topology/topology.h"

namespace {

using cppland::Cpu;
using cppland::Topology;

void require(bool kept) {
  if (!kept) {
    std::abort();
  }
}

// The given numbers are 0 to `count` - 1, and each is used.
void require_dense(std::vector<unsigned> numbers, unsigned count) {
  std::ranges::sort(numbers);
  const auto doubles = std::ranges::unique(numbers);
  numbers.erase(doubles.begin(), doubles.end());
  require(numbers.size() == count && numbers.back() == count - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cppland::testing::SysfsTree tree(std::string(data, data + size));
  const auto topology = Topology::read([&](const std::string& path) { return tree.read(path); });
  if (!topology) {
    return 0;
  }
  std::vector<unsigned> cores;
  std::vector<unsigned> llcs;
  unsigned next_id = 0;
  for (const Cpu& cpu : topology->cpus()) {
    require(cpu.id >= next_id && topology->find(cpu.id) == &cpu);
    next_id = cpu.id + 1;
    require(cpu.capacity >= 1 && cpu.capacity <= Cpu::kFullCapacity);
    if (cpu.online) {
      require(cpu.smt_rank == std::ranges::count(cores, cpu.core));
      require(cpu.node != Cpu::kNone);
      cores.push_back(cpu.core);
      llcs.push_back(cpu.llc);
    } else {
      require(cpu.core == Cpu::kNone && cpu.llc == Cpu::kNone && cpu.node == Cpu::kNone);
    }
  }
  require(topology->nr_cpu_ids() == next_id && topology->nr_online() == cores.size());
  require(topology->nr_nodes() >= 1 && topology->nr_nodes() <= topology->nr_online());
  require(topology->smt() == (topology->nr_cores() < topology->nr_online()));
  require_dense(cores, topology->nr_cores());
  require_dense(llcs, topology->nr_llcs());
  return 0;
}
