// SPDX-License-Identifier: GPL-2.0-only
// topology.h - the machine's CPUs, and what they share, as sysfs tells it.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace cppland {

// One CPU that the kernel could ever use.
struct Cpu {
  static constexpr unsigned kNone = std::numeric_limits<unsigned>::max();
  static constexpr unsigned kFullCapacity = 1024;

  bool operator==(const Cpu&) const = default;

  unsigned id = 0;  // the kernel's number
  bool online = true;

  // Known for online CPUs; kNone for the others, since the kernel keeps no record of where they
  // are.
  unsigned core = 0;  // 0, 1, 2 … in the order of each core's lowest CPU
  unsigned llc = 0;   // likewise: CPUs with one number share the last level of cache, and a node
  unsigned node = 0;  // the kernel's NUMA node number
  unsigned smt_rank = 0;  // place among its core's online CPUs: 0 for the first

  unsigned capacity = kFullCapacity;  // relative to the fastest CPU; 1 to kFullCapacity
};

// All CPUs, ascending by id. A snapshot: it does not follow CPUs that come and go.
class Topology {
 public:
  // Reads a small file, given its path below sysfs's root ("devices/system/cpu/online").
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  // What sysfs says that is mounted at `root`. Only the list of CPUs must be there and be readable;
  // whatever else is missing (containers, simple virtual machines) or malformed gets the plainest
  // value: a CPU is its own core, caches are shared by a whole package or node, all is node 0,
  // capacities are equal. What was malformed is in notes().
  [[nodiscard]] static Result<Topology> read(const std::string& root = "/sys");
  [[nodiscard]] static Result<Topology> read(const ReadFile& read_file);

  // A topology made up by the caller, for simulations. REQUIRES: at least one online CPU; cores and
  // LLCs of online CPUs numbered from 0 without gaps; ids distinct and ascending.
  explicit Topology(std::vector<Cpu> cpus, bool hybrid = false);

  [[nodiscard]] std::span<const Cpu> cpus() const noexcept { return cpus_; }
  // The CPU of that id; null if there is none. Binary search.
  [[nodiscard]] const Cpu* find(unsigned id) const noexcept;

  // How many ids an array indexed by CPU id must hold: the highest one and one more.
  [[nodiscard]] unsigned nr_cpu_ids() const noexcept { return cpus_.back().id + 1; }
  // How many CPUs there are. Less than nr_cpu_ids() where numbers are left out.
  [[nodiscard]] unsigned nr_possible() const noexcept {
    return static_cast<unsigned>(cpus_.size());
  }
  [[nodiscard]] unsigned nr_online() const noexcept { return nr_online_; }
  [[nodiscard]] unsigned nr_cores() const noexcept { return nr_cores_; }
  [[nodiscard]] unsigned nr_llcs() const noexcept { return nr_llcs_; }
  // Nodes that have online CPUs. Their numbers may have gaps.
  [[nodiscard]] unsigned nr_nodes() const noexcept { return nr_nodes_; }

  // Some core has several online CPUs.
  [[nodiscard]] bool smt() const noexcept { return smt_; }
  // There are big and little cores, rather than cores of one kind of which some are a bit better.
  [[nodiscard]] bool hybrid() const noexcept { return hybrid_; }

  // Files that said what could not be understood; for a diagnosis.
  [[nodiscard]] std::span<const std::string> notes() const noexcept { return notes_; }

 private:
  std::vector<Cpu> cpus_;
  std::vector<std::string> notes_;
  unsigned nr_online_ = 0;
  unsigned nr_cores_ = 0;
  unsigned nr_llcs_ = 0;
  unsigned nr_nodes_ = 0;
  bool smt_ = false;
  bool hybrid_ = false;
};

}  // namespace cppland
