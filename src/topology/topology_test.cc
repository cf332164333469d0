// SPDX-License-Identifier: GPL-2.0-only
// topology_test.cc - sysfs trees of real and made-up machines, whole and damaged.

#include "topology/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/sysfs_tree.h"

namespace cppland {
namespace {

using ::cppland::testing::SysfsTree;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr unsigned kNone = Cpu::kNone;

Result<Topology> try_read(const SysfsTree& tree) {
  return Topology::read([&](const std::string& path) { return tree.read(path); });
}

Topology read(const SysfsTree& tree) {
  Result<Topology> topology = try_read(tree);
  EXPECT_TRUE(topology) << topology.error().message();
  return topology ? *topology : Topology({Cpu{}});
}

template <typename Member>
std::vector<Member> each(const Topology& topology, Member Cpu::* member) {
  std::vector<Member> values;
  for (const Cpu& cpu : topology.cpus()) {
    values.push_back(cpu.*member);
  }
  return values;
}

std::string cpu_file(unsigned cpu, const std::string& name) {
  return fmt::format("devices/system/cpu/cpu{}/{}", cpu, name);
}

// Only lists of CPUs, as the simplest container shows them.
SysfsTree bare(const std::string& possible, const std::string& online) {
  return SysfsTree()
      .set("devices/system/cpu/possible", possible)
      .set("devices/system/cpu/online", online);
}

TEST(TopologyTest, ReadsASmallVirtualMachine) {
  const Topology topology = read(SysfsTree::captured("vm-4"));

  EXPECT_EQ(topology.nr_cpu_ids(), 4U);
  EXPECT_EQ(topology.nr_possible(), 4U);
  EXPECT_EQ(topology.nr_online(), 4U);
  EXPECT_EQ(topology.nr_cores(), 4U);
  EXPECT_EQ(topology.nr_llcs(), 1U);
  EXPECT_EQ(topology.nr_nodes(), 1U);
  EXPECT_FALSE(topology.smt());
  EXPECT_FALSE(topology.hybrid());
  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(each(topology, &Cpu::llc), Each(0));
  EXPECT_THAT(each(topology, &Cpu::capacity), Each(Cpu::kFullCapacity));
  EXPECT_THAT(topology.notes(), IsEmpty());
}

TEST(TopologyTest, ReadsASingleCpu) {
  const Topology topology = read(SysfsTree::captured("vm-1"));

  EXPECT_THAT(topology.cpus(), ElementsAre(Cpu{.id = 0}));
  EXPECT_EQ(topology.nr_cores(), 1U);
  EXPECT_EQ(topology.nr_llcs(), 1U);
  EXPECT_EQ(topology.nr_nodes(), 1U);
}

TEST(TopologyTest, ReadsSocketsCoresThreadsAndNodes) {
  const Topology topology = read(SysfsTree::captured("numa-2x4x2"));

  EXPECT_EQ(topology.nr_online(), 16U);
  EXPECT_EQ(topology.nr_cores(), 8U);
  EXPECT_EQ(topology.nr_llcs(), 2U);
  EXPECT_EQ(topology.nr_nodes(), 2U);
  EXPECT_TRUE(topology.smt());
  EXPECT_THAT(each(topology, &Cpu::core),
              ElementsAre(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
  EXPECT_THAT(each(topology, &Cpu::smt_rank),
              ElementsAre(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_THAT(each(topology, &Cpu::llc),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_EQ(each(topology, &Cpu::node), each(topology, &Cpu::llc));
  EXPECT_THAT(topology.notes(), IsEmpty());
}

TEST(TopologyTest, KnowsOfflineCpusButNotTheirPlace) {
  const Topology topology = read(SysfsTree::captured("numa-2x4x2-offline"));

  EXPECT_EQ(topology.nr_possible(), 16U);
  EXPECT_EQ(topology.nr_online(), 5U);
  EXPECT_EQ(topology.nr_cores(), 3U);
  EXPECT_EQ(topology.nr_llcs(), 1U);
  EXPECT_EQ(topology.nr_nodes(), 1U);
  EXPECT_TRUE(topology.smt());
  const auto head = topology.cpus().first(8);
  EXPECT_THAT(std::vector(head.begin(), head.end()),
              ElementsAre(Cpu{.id = 0},
                          Cpu{.id = 1, .online = false, .core = kNone, .llc = kNone, .node = kNone},
                          Cpu{.id = 2, .core = 1}, Cpu{.id = 3, .core = 1, .smt_rank = 1},
                          Cpu{.id = 4, .online = false, .core = kNone, .llc = kNone, .node = kNone},
                          Cpu{.id = 5, .online = false, .core = kNone, .llc = kNone, .node = kNone},
                          Cpu{.id = 6, .core = 2}, Cpu{.id = 7, .core = 2, .smt_rank = 1}));
  EXPECT_THAT(topology.notes(), IsEmpty());
}

TEST(TopologyTest, ReadsAHybridMachine) {
  const Topology topology = read(SysfsTree::captured("hybrid-2p4e2l"));

  EXPECT_TRUE(topology.hybrid());
  EXPECT_TRUE(topology.smt());
  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, 0, 1, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(each(topology, &Cpu::smt_rank), ElementsAre(0, 1, 0, 1, 0, 0, 0, 0, 0, 0));
  // The last two have no L3: their L2 is the last level that they share.
  EXPECT_THAT(each(topology, &Cpu::llc), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 1, 1));
  // cpu_capacity is 1024 everywhere on hybrid machines with SMT: that tells nothing, highest_perf
  // does.
  EXPECT_THAT(each(topology, &Cpu::capacity),
              ElementsAre(1024, 1024, 1024, 1024, 692, 692, 692, 692, 451, 451));
}

TEST(TopologyTest, TakesCapacitiesFromClocksIfNothingElseTells) {
  const Topology topology =
      read(SysfsTree::captured("hybrid-2p4e2l").remove("acpi_cppc").remove("cpu_atom"));

  EXPECT_TRUE(topology.hybrid());
  EXPECT_THAT(each(topology, &Cpu::capacity),
              ElementsAre(1024, 1024, 1024, 1024, 810, 810, 810, 810, 533, 533));
}

TEST(TopologyTest, PrefersTheKernelsOwnCapacities) {
  SysfsTree tree = SysfsTree::captured("vm-4");
  tree.set(cpu_file(2, "cpu_capacity"), "512").set(cpu_file(3, "cpu_capacity"), "512");
  for (unsigned cpu = 0; cpu < 4; ++cpu) {
    tree.set(cpu_file(cpu, "acpi_cppc/highest_perf"), "100");
  }
  const Topology topology = read(tree);

  EXPECT_TRUE(topology.hybrid());
  EXPECT_THAT(each(topology, &Cpu::capacity), ElementsAre(1024, 1024, 512, 512));
}

TEST(TopologyTest, KnowsHybridIntelWithoutFigures) {
  EXPECT_TRUE(
      read(SysfsTree::captured("hybrid-2p4e2l").remove("acpi_cppc").remove("cpufreq")).hybrid());
  EXPECT_FALSE(read(SysfsTree::captured("hybrid-2p4e2l")
                        .remove("acpi_cppc")
                        .remove("cpufreq")
                        .remove("cpu_atom"))
                   .hybrid());
}

TEST(TopologyTest, PreferredCoresDoNotMakeAMachineHybrid) {
  SysfsTree tree = bare("0-3", "0-3");
  for (unsigned cpu = 0; cpu < 4; ++cpu) {
    tree.set(cpu_file(cpu, "acpi_cppc/highest_perf"), std::to_string(236 - 20 * cpu));
    tree.set(cpu_file(cpu, "cpufreq/cpuinfo_max_freq"), std::to_string(5'700'000 - 50'000 * cpu));
  }
  const Topology topology = read(tree);

  EXPECT_FALSE(topology.hybrid());
  EXPECT_THAT(each(topology, &Cpu::capacity), ElementsAre(1024, 937, 850, 763));
}

TEST(TopologyTest, DoesNotMixFiguresOfDifferentKinds) {
  SysfsTree tree = bare("0-1", "0-1");
  tree.set(cpu_file(0, "acpi_cppc/highest_perf"), "100");
  tree.set(cpu_file(1, "cpufreq/cpuinfo_max_freq"), "5000000");
  const Topology topology = read(tree);

  EXPECT_THAT(each(topology, &Cpu::capacity), Each(Cpu::kFullCapacity));
  EXPECT_FALSE(topology.hybrid());
}

TEST(TopologyTest, IsPlainWhereThereAreOnlyListsOfCpus) {
  const Topology topology = read(bare("0-3", "0-3"));

  EXPECT_THAT(topology.cpus(), ElementsAre(Cpu{.id = 0}, Cpu{.id = 1, .core = 1},
                                           Cpu{.id = 2, .core = 2}, Cpu{.id = 3, .core = 3}));
  EXPECT_EQ(topology.nr_llcs(), 1U);
  EXPECT_EQ(topology.nr_nodes(), 1U);
}

TEST(TopologyTest, SharesCachesByPackageIfNothingIsSaidOfCaches) {
  for (const char* missing : {"core_siblings_list", "package_cpus_list"}) {
    const Topology topology = read(SysfsTree::captured("numa-2x4x2")
                                       .remove("/cache/")
                                       .remove("devices/system/node")
                                       .remove(missing));
    EXPECT_EQ(topology.nr_nodes(), 1U);
    EXPECT_THAT(each(topology, &Cpu::llc),
                ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  }
}

TEST(TopologyTest, SharesCachesByNodeIfNothingIsSaidOfPackagesEither) {
  const Topology topology = read(SysfsTree::captured("numa-2x4x2")
                                     .remove("/cache/")
                                     .remove("package_cpus")
                                     .remove("core_siblings"));
  EXPECT_EQ(topology.nr_llcs(), 2U);
}

TEST(TopologyTest, ACacheThatSpansNodesCountsForEach) {
  // As with sub-NUMA clustering: one L3 for both nodes.
  SysfsTree tree = SysfsTree::captured("vm-4");
  tree.set("devices/system/node/online", "0,4")
      .set("devices/system/node/node0/cpulist", "0,2")
      .set("devices/system/node/node4/cpulist", "1,3");
  const Topology topology = read(tree);

  EXPECT_THAT(each(topology, &Cpu::node), ElementsAre(0, 4, 0, 4));
  EXPECT_THAT(each(topology, &Cpu::llc), ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(topology.nr_nodes(), 2U);
}

TEST(TopologyTest, CpusOfNoNodeBelongToTheFirst) {
  SysfsTree tree = bare("0-2", "0-2");
  tree.set("devices/system/node/online", "1-2")
      .set("devices/system/node/node1/cpulist", "0")
      .set("devices/system/node/node2/cpulist", "2");
  EXPECT_THAT(each(read(tree), &Cpu::node), ElementsAre(1, 1, 2));
}

TEST(TopologyTest, ReadsTheOldNamesOfSiblingLists) {
  const Topology topology =
      read(SysfsTree::captured("numa-2x4x2").remove("core_cpus_list").remove("package_cpus_list"));
  EXPECT_EQ(topology.nr_cores(), 8U);
  EXPECT_EQ(topology.nr_llcs(), 2U);
}

TEST(TopologyTest, CountsIdsAcrossGaps) {
  const Topology topology = read(bare("0-1,64,1023", "0,64,1023"));

  EXPECT_EQ(topology.nr_cpu_ids(), 1024U);
  EXPECT_EQ(topology.nr_possible(), 4U);
  EXPECT_EQ(topology.nr_online(), 3U);
  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, kNone, 1, 2));
  ASSERT_NE(topology.find(64), nullptr);
  EXPECT_EQ(topology.find(64)->core, 1U);
  EXPECT_EQ(topology.find(63), nullptr);
  EXPECT_EQ(topology.find(1024), nullptr);
}

TEST(TopologyTest, ManagesWithoutTheListOfPossibleCpus) {
  SysfsTree tree = SysfsTree::captured("vm-4").remove("cpu/possible");
  EXPECT_EQ(read(tree).nr_possible(), 4U);
  EXPECT_EQ(read(tree.remove("cpu/present")).nr_possible(), 4U);
}

TEST(TopologyTest, ManagesWithoutTheListOfOnlineCpus) {
  const SysfsTree tree = SysfsTree::captured("numa-2x4x2-offline").remove("cpu/online");
  EXPECT_EQ(read(tree).nr_online(), 5U);
}

TEST(TopologyTest, PassesOverMalformedDetailsAndNotesThem) {
  SysfsTree tree = SysfsTree::captured("vm-4");
  tree.set(cpu_file(0, "topology/core_cpus_list"), "0-")
      .set(cpu_file(0, "topology/thread_siblings_list"), "what?")
      .set(cpu_file(1, "cache/index3/shared_cpu_list"), "4294967295-")
      .set(cpu_file(1, "cache/index3/level"), "three")
      .set(cpu_file(2, "cpu_capacity"), "-1")
      .set("devices/system/node/online", "0-0x1");
  const Topology topology = read(tree);

  EXPECT_EQ(topology.nr_online(), 4U);
  EXPECT_EQ(topology.nr_cores(), 4U);
  EXPECT_EQ(topology.nr_nodes(), 1U);
  EXPECT_THAT(each(topology, &Cpu::capacity), Each(Cpu::kFullCapacity));
  EXPECT_THAT(topology.notes(),
              ::testing::Contains(
                  "devices/system/cpu/cpu1/cache/index3/level: parse \"three\" as a number: "
                  "Invalid argument"));
  EXPECT_THAT(topology.notes(), ::testing::SizeIs(6));
}

TEST(TopologyTest, SurvivesListsThatContradictEachOther) {
  SysfsTree tree = bare("0-3", "0-3");
  tree.set(cpu_file(0, "topology/core_cpus_list"), "1-2")  // not even itself
      .set(cpu_file(1, "topology/core_cpus_list"), "0-3,900")
      .set(cpu_file(2, "topology/core_cpus_list"), "2");
  const Topology topology = read(tree);

  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(each(topology, &Cpu::smt_rank), ElementsAre(0, 1, 0, 0));
}

TEST(TopologyTest, OnlineCpusMustBePossible) {
  EXPECT_EQ(read(bare("0-1", "0-7")).nr_online(), 2U);
}

TEST(TopologyTest, RefusesListsOfCpusThatAreNone) {
  EXPECT_EQ(try_read(SysfsTree()).error().code(), ENOENT);
  EXPECT_EQ(try_read(bare("zero", "0")).error().code(), EINVAL);
  EXPECT_EQ(try_read(bare("0-3", "0-")).error().code(), EINVAL);
  EXPECT_EQ(try_read(bare("0-4095", "0-3")).error().code(), ERANGE);
  EXPECT_EQ(try_read(bare("", "")).error().code(), ENODATA);
  EXPECT_EQ(try_read(bare("0-3", "8")).error().code(), ENODATA);
  EXPECT_THAT(try_read(bare("zero", "0")).error().message(),
              HasSubstr("devices/system/cpu/possible: parse \"zero\" as a list of CPUs"));
}

TEST(TopologyTest, ReadsFilesBelowItsRoot) {
  std::string root = ::testing::TempDir() + "cppland_topology_test.XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  SysfsTree::captured("numa-2x4x2").write_below(root);

  const Result<Topology> topology = Topology::read(root);
  std::filesystem::remove_all(root);

  ASSERT_TRUE(topology) << topology.error().message();
  EXPECT_EQ(topology->nr_cores(), 8U);
  EXPECT_EQ(topology->nr_llcs(), 2U);

  const Result<Topology> gone = Topology::read(root);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message(), "read the CPU topology: open " + root +
                                        "/devices/system/cpu/online: No such file or directory");
}

TEST(TopologyTest, CountsWhatACallerMadeUp) {
  const Topology topology(
      {Cpu{.id = 0}, Cpu{.id = 1, .smt_rank = 1}, Cpu{.id = 2, .core = 1, .llc = 1, .node = 5},
       Cpu{.id = 7, .online = false, .core = kNone, .llc = kNone, .node = kNone}},
      true);

  EXPECT_EQ(topology.nr_cpu_ids(), 8U);
  EXPECT_EQ(topology.nr_possible(), 4U);
  EXPECT_EQ(topology.nr_online(), 3U);
  EXPECT_EQ(topology.nr_cores(), 2U);
  EXPECT_EQ(topology.nr_llcs(), 2U);
  EXPECT_EQ(topology.nr_nodes(), 2U);
  EXPECT_TRUE(topology.smt());
  EXPECT_TRUE(topology.hybrid());
}

}  // namespace
}  // namespace cppland
