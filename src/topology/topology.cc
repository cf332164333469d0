// SPDX-License-Identifier: GPL-2.0-only
// topology.cc - reads sysfs, and tolerates what a machine leaves out.

#include "topology/topology.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <utility>

#include "base/cpu_set.h"
#include "base/file.h"
#include "base/text.h"

namespace cppland {
namespace {

constexpr const char* kCpuFolder = "devices/system/cpu";
constexpr const char* kNodeFolder = "devices/system/node";

// Optional facts: absent ones are passed over, malformed ones noted.
class Facts {
 public:
  explicit Facts(const Topology::ReadFile& read_file) : read_file_(read_file) {}

  template <typename... Args>
  std::optional<CpuSet> list(fmt::format_string<Args...> path, Args&&... args) {
    return understood(fmt::format(path, std::forward<Args>(args)...), CpuSet::parse);
  }

  template <typename... Args>
  std::optional<std::uint64_t> number(fmt::format_string<Args...> path, Args&&... args) {
    return understood(fmt::format(path, std::forward<Args>(args)...), parse_int<std::uint64_t>);
  }

  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  template <typename Parse>
  auto understood(const std::string& path, Parse parse)
      -> std::optional<typename decltype(parse(std::string_view()))::value_type> {
    const Result<std::string> text = read_file_(path);
    if (!text) {
      return std::nullopt;
    }
    auto fact = context(parse(*text), "{}", path);
    if (!fact) {
      notes_.push_back(fact.error().message());
      return std::nullopt;
    }
    return std::move(*fact);
  }

  const Topology::ReadFile& read_file_;
  std::vector<std::string> notes_;
};

Result<CpuSet> required_list(const Topology::ReadFile& read_file, const std::string& path) {
  return context(CpuSet::parse(CPPLAND_TRY(read_file(path))), "{}", path);
}

Result<CpuSet> possible_cpus(const Topology::ReadFile& read_file) {
  Result<CpuSet> set = error(ENOENT, "find any CPU");
  for (const char* name : {"possible", "present", "online"}) {
    set = required_list(read_file, fmt::format("{}/{}", kCpuFolder, name));
    if (set || set.error().code() != ENOENT) {
      break;
    }
  }
  return set;
}

Result<CpuSet> online_cpus(const Topology::ReadFile& read_file, const CpuSet& possible,
                           Facts& facts) {
  const Result<CpuSet> listed = required_list(read_file, fmt::format("{}/online", kCpuFolder));
  if (listed) {
    return *listed & possible;
  }
  if (listed.error().code() != ENOENT) {
    return listed;
  }
  // Without the list, a CPU is online unless its own file says otherwise; some have no such file.
  CpuSet online;
  for (const unsigned cpu : possible) {
    if (facts.number("{}/cpu{}/online", kCpuFolder, cpu) != 0) {
      online.set(cpu);
    }
  }
  return online;
}

// The NUMA node of each online CPU.
std::map<unsigned, unsigned> read_nodes(const CpuSet& online, Facts& facts) {
  // Node lists are written like CPU lists.
  const CpuSet nodes = facts.list("{}/online", kNodeFolder).value_or(CpuSet());
  std::map<unsigned, unsigned> node_of;
  for (const unsigned node : nodes) {
    for (const unsigned cpu :
         facts.list("{}/node{}/cpulist", kNodeFolder, node).value_or(CpuSet()) & online) {
      node_of.emplace(cpu, node);
    }
  }
  for (const unsigned cpu : online) {
    node_of.emplace(cpu, nodes.empty() ? 0 : nodes.first());
  }
  return node_of;
}

// A group of CPUs goes by its lowest member, and a CPU always belongs to its own.
unsigned leader(CpuSet group, unsigned cpu) {
  group.set(cpu);
  return group.first();
}

unsigned core_leader(unsigned cpu, Facts& facts) {
  for (const char* name : {"core_cpus_list", "thread_siblings_list"}) {
    if (const auto siblings = facts.list("{}/cpu{}/topology/{}", kCpuFolder, cpu, name)) {
      return leader(*siblings, cpu);
    }
  }
  return cpu;
}

// Among the CPUs of one node.
unsigned llc_leader(unsigned cpu, Facts& facts) {
  constexpr unsigned kMostCaches = 16;
  std::uint64_t highest = 0;
  std::optional<CpuSet> sharing;
  for (unsigned index = 0; index < kMostCaches; ++index) {
    const auto level = facts.number("{}/cpu{}/cache/index{}/level", kCpuFolder, cpu, index);
    const auto shared =
        facts.list("{}/cpu{}/cache/index{}/shared_cpu_list", kCpuFolder, cpu, index);
    if (!level && !shared) {
      break;
    }
    if (level && shared && *level > highest) {
      highest = *level;
      sharing = *shared;
    }
  }
  for (const char* name : {"package_cpus_list", "core_siblings_list"}) {
    if (!sharing) {
      sharing = facts.list("{}/cpu{}/topology/{}", kCpuFolder, cpu, name);
    }
  }
  return sharing ? leader(*sharing, cpu) : 0;
}

// One figure for each online CPU, if there is one for all.
template <typename Figure>
std::optional<std::map<unsigned, std::uint64_t>> for_all(const CpuSet& online, Figure figure) {
  std::map<unsigned, std::uint64_t> figures;
  for (const unsigned cpu : online) {
    const std::optional<std::uint64_t> value = figure(cpu);
    if (!value || *value == 0) {
      return std::nullopt;
    }
    figures.emplace(cpu, *value);
  }
  return figures;
}

using Figures = std::optional<std::map<unsigned, std::uint64_t>>;

// The least figure as a share of the greatest.
double spread(const std::map<unsigned, std::uint64_t>& figures) {
  const auto [least, most] = std::ranges::minmax(figures | std::views::values);
  return static_cast<double>(least) / static_cast<double>(most);
}

// Whether the figures differ as those of big and little cores do. Makers also rank cores of one
// kind, and let the best of them clock higher by some percent.
bool differ_widely(const Figures& figures) {
  constexpr double kLittle = 0.85;
  return figures && spread(*figures) < kLittle;
}

struct Capacities {
  std::map<unsigned, unsigned> of;  // empty: all the same
  bool hybrid = false;
};

Capacities read_capacities(const CpuSet& online, Facts& facts) {
  const auto figures = [&](const char* name) {
    return for_all(
        online, [&](unsigned cpu) { return facts.number("{}/cpu{}/{}", kCpuFolder, cpu, name); });
  };
  Capacities capacities;
  Figures best = figures("cpu_capacity");
  if (best && spread(*best) < 1) {
    capacities.hybrid = differ_widely(best);
  } else {
    // All the same, which the kernel also says of hybrid machines with SMT: look further.
    const Figures clock = figures("cpufreq/cpuinfo_max_freq");
    best = figures("acpi_cppc/highest_perf");
    // On some machines that is a mere ranking of equal cores: believe it only if clocks differ too.
    capacities.hybrid = differ_widely(clock) || (!clock && differ_widely(best));
    if (!best) {
      best = clock;
    }
  }
  if (best) {
    const std::uint64_t most = std::ranges::max(*best | std::views::values);
    for (const auto& [cpu, figure] : *best) {
      const double share = static_cast<double>(figure) / static_cast<double>(most);
      capacities.of[cpu] = std::max(1U, static_cast<unsigned>(share * Cpu::kFullCapacity));
    }
  }

  // Intel's hybrid CPUs have an event source for each kind of core.
  const CpuSet big = facts.list("devices/cpu_core/cpus").value_or(CpuSet()) & online;
  const CpuSet little = facts.list("devices/cpu_atom/cpus").value_or(CpuSet()) & online;
  capacities.hybrid |= !big.empty() && !little.empty();
  return capacities;
}

// 0, 1, 2 … for keys in the order of their first appearance.
template <typename Key>
class Numbering {
 public:
  unsigned operator()(const Key& key) {
    return numbers_.try_emplace(key, static_cast<unsigned>(numbers_.size())).first->second;
  }

 private:
  std::map<Key, unsigned> numbers_;
};

}  // namespace

Topology::Topology(std::vector<Cpu> cpus, bool hybrid) : cpus_(std::move(cpus)), hybrid_(hybrid) {
  std::set<unsigned> nodes;
  for (const Cpu& cpu : cpus_) {
    if (cpu.online) {
      ++nr_online_;
      nr_cores_ = std::max(nr_cores_, cpu.core + 1);
      nr_llcs_ = std::max(nr_llcs_, cpu.llc + 1);
      nodes.insert(cpu.node);
      smt_ |= cpu.smt_rank > 0;
    }
  }
  nr_nodes_ = static_cast<unsigned>(nodes.size());
}

Result<Topology> Topology::read(const std::string& root) {
  return context(read([&](const std::string& path) {
                   return cppland::read_file(fmt::format("{}/{}", root, path));
                 }),
                 "read the CPU topology");
}

Result<Topology> Topology::read(const ReadFile& read_file) {
  Facts facts(read_file);
  const CpuSet possible = CPPLAND_TRY(possible_cpus(read_file));
  const CpuSet online = CPPLAND_TRY(online_cpus(read_file, possible, facts));
  if (online.empty()) {
    return error(ENODATA, "find an online CPU");
  }

  const std::map<unsigned, unsigned> node_of = read_nodes(online, facts);
  const Capacities capacities = read_capacities(online, facts);

  Numbering<unsigned> cores;
  Numbering<std::pair<unsigned, unsigned>> llcs;
  std::map<unsigned, unsigned> cpus_on_core;
  std::vector<Cpu> cpus;
  for (const unsigned id : possible) {
    Cpu& cpu = cpus.emplace_back();
    cpu.id = id;
    cpu.online = online.test(id);
    if (!cpu.online) {
      cpu.core = cpu.llc = cpu.node = Cpu::kNone;
      continue;
    }
    cpu.node = node_of.at(id);
    cpu.core = cores(core_leader(id, facts));
    cpu.smt_rank = cpus_on_core[cpu.core]++;
    cpu.llc = llcs({cpu.node, llc_leader(id, facts)});
    if (const auto found = capacities.of.find(id); found != capacities.of.end()) {
      cpu.capacity = found->second;
    }
  }

  Topology topology(std::move(cpus), capacities.hybrid);
  topology.notes_ = facts.take_notes();
  return topology;
}

const Cpu* Topology::find(unsigned id) const noexcept {
  const auto found = std::ranges::lower_bound(cpus_, id, {}, &Cpu::id);
  return found != cpus_.end() && found->id == id ? &*found : nullptr;
}

}  // namespace cppland
