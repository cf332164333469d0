// SPDX-License-Identifier: GPL-2.0-only
// sim_topology.cc - --cpus and --topology of the simulator: a machine that is made up.
#include "cli/sim_topology.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/text.h"

namespace cppland::cli {
namespace {

constexpr unsigned kMostThreads = 8;  // of a core, as of POWER

// With the names of `tools/vm --topology`, and two more.
struct Shape {
  std::optional<unsigned> sockets{};
  std::optional<unsigned> cores{};    // of each socket
  std::optional<unsigned> threads{};  // of each core
  std::optional<unsigned> nodes{};    // of the machine
  std::optional<unsigned> llcs{};     // of each socket
  std::optional<unsigned> little{};   // of all cores, the last ones
};

constexpr std::array<std::pair<std::string_view, std::optional<unsigned> Shape::*>, 6> kParts{
    {{"sockets", &Shape::sockets},
     {"cores", &Shape::cores},
     {"threads", &Shape::threads},
     {"nodes", &Shape::nodes},
     {"llcs", &Shape::llcs},
     {"little", &Shape::little}}};

Result<void> set_part(Shape& shape, std::string_view part) {
  const std::size_t equals = part.find('=');
  for (const auto& [name, member] : kParts) {
    if (equals == std::string_view::npos || part.substr(0, equals) != name || shape.*member)
      continue;
    const auto value = parse_int<unsigned>(part.substr(equals + 1));
    const unsigned least = name == "little" ? 0 : 1;
    if (!value || *value < least || *value > kMostCpus) break;
    shape.*member = *value;
    return {};
  }
  return error(
      EINVAL,
      "\"{}\" is not (sockets|cores|threads|nodes|llcs|little)=NUMBER, each once, and from 1 to "
      "{} (little: from 0)",
      part, kMostCpus);
}

Result<Shape> parse_shape(std::string_view text) {
  Shape shape;
  for (bool more = !text.empty(); more;) {
    const std::size_t comma = text.find(',');
    CPPLAND_TRY(set_part(shape, text.substr(0, comma)));
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return shape;
}

// All parts, and nothing that does not fit together.
struct Counts {
  unsigned sockets;
  unsigned cores;
  unsigned threads;
  unsigned nodes;
  unsigned llcs;
  unsigned little;

  [[nodiscard]] unsigned all_cores() const noexcept { return sockets * cores; }
};

Result<Counts> complete(const Shape& shape, std::optional<unsigned> cpus) {
  Counts counts{shape.sockets.value_or(1), shape.cores.value_or(1), shape.threads.value_or(1),
                shape.nodes.value_or(1),   shape.llcs.value_or(1),  shape.little.value_or(0)};
  const std::uint64_t others = std::uint64_t{counts.sockets} * counts.threads;
  if (!shape.cores && cpus)
    counts.cores = static_cast<unsigned>(std::max<std::uint64_t>(1, *cpus / others));
  const std::uint64_t made = others * counts.cores;
  if (cpus && made != *cpus) return error(EINVAL, "makes {} CPUs, but --cpus says {}", made, *cpus);
  if (made > kMostCpus) return error(EINVAL, "makes {} CPUs; {} is the limit", made, kMostCpus);
  if (counts.threads > kMostThreads)
    return error(EINVAL, "has {} threads in a core; {} is the limit", counts.threads, kMostThreads);
  const auto [fewer, more] = std::minmax(counts.nodes, counts.sockets);
  if (counts.all_cores() % counts.nodes != 0 || more % fewer != 0)
    return error(EINVAL, "the cores and sockets do not divide into {} nodes", counts.nodes);
  if (counts.cores % counts.llcs != 0)
    return error(EINVAL, "the {} cores of a socket do not divide into {} LLCs", counts.cores,
                 counts.llcs);
  if (counts.little > 0 && counts.little >= counts.all_cores())
    return error(EINVAL, "{} of {} cores cannot be little: one at least is big", counts.little,
                 counts.all_cores());
  return counts;
}

}  // namespace

// CPUs are numbered as QEMU and so `tools/vm` does it: the threads of a core lie side by side.
Result<Topology> make_topology(const std::string& text, std::optional<unsigned> cpus) {
  const Counts counts = CPPLAND_TRY(complete(CPPLAND_TRY(parse_shape(text)), cpus));
  std::vector<Cpu> all;
  std::vector<std::tuple<unsigned, unsigned, unsigned>> llcs;  // socket, place in it, node
  for (unsigned core = 0; core < counts.all_cores(); ++core) {
    const unsigned socket = core / counts.cores;
    const unsigned node = core / (counts.all_cores() / counts.nodes);
    const std::tuple llc(socket, core % counts.cores / (counts.cores / counts.llcs), node);
    if (llcs.empty() || llcs.back() != llc) llcs.push_back(llc);
    const bool little = core >= counts.all_cores() - counts.little;
    for (unsigned thread = 0; thread < counts.threads; ++thread)
      all.push_back({.id = core * counts.threads + thread,
                     .core = core,
                     .llc = static_cast<unsigned>(llcs.size()) - 1,
                     .node = node,
                     .smt_rank = thread,
                     .capacity = little ? kLittleCapacity : Cpu::kFullCapacity});
  }
  return Topology(std::move(all), counts.little > 0);
}

}  // namespace cppland::cli
