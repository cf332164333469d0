// SPDX-License-Identifier: GPL-2.0-only
// sim_topology_test.cc - machines that are made up, and those that cannot be.
#include "cli/sim_topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace cppland::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Topology made(const std::string& text, std::optional<unsigned> cpus = {}) {
  auto topology = make_topology(text, cpus);
  EXPECT_TRUE(topology) << topology.error().message();
  return topology ? *std::move(topology) : Topology({Cpu{}});
}

std::string refused(const std::string& text, std::optional<unsigned> cpus = {}) {
  const auto topology = make_topology(text, cpus);
  return topology ? "accepted" : topology.error().tried();
}

template <typename T>
std::vector<T> each(const Topology& topology, T Cpu::* member) {
  std::vector<T> values;
  for (const Cpu& cpu : topology.cpus()) values.push_back(cpu.*member);
  return values;
}

TEST(SimTopology, IsOneSocketOfCoresByDefault) {
  const Topology topology = made("", 3);
  EXPECT_THAT(each(topology, &Cpu::id), ElementsAre(0, 1, 2));
  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, 1, 2));
  EXPECT_THAT(each(topology, &Cpu::llc), ElementsAre(0, 0, 0));
  EXPECT_FALSE(topology.smt());
  EXPECT_FALSE(topology.hybrid());
  EXPECT_EQ(made("").nr_online(), 1U);
}

TEST(SimTopology, HasSocketsWithTheirOwnCaches) {
  const Topology topology = made("sockets=2,cores=2,threads=2,nodes=2");
  EXPECT_THAT(each(topology, &Cpu::core), ElementsAre(0, 0, 1, 1, 2, 2, 3, 3));
  EXPECT_THAT(each(topology, &Cpu::smt_rank), ElementsAre(0, 1, 0, 1, 0, 1, 0, 1));
  EXPECT_THAT(each(topology, &Cpu::llc), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(each(topology, &Cpu::node), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_TRUE(topology.smt());
}

TEST(SimTopology, SplitsCachesOfASocket) {
  EXPECT_THAT(each(made("cores=4,llcs=2"), &Cpu::llc), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(each(made("sockets=2,cores=2,llcs=2"), &Cpu::llc), ElementsAre(0, 1, 2, 3));
}

// As the kernel has it: no cache is shared between nodes.
TEST(SimTopology, SplitsCachesBetweenNodes) {
  const Topology topology = made("cores=4,nodes=2");
  EXPECT_THAT(each(topology, &Cpu::node), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(each(topology, &Cpu::llc), ElementsAre(0, 0, 1, 1));
}

TEST(SimTopology, HasLittleCoresAtTheEnd) {
  const Topology topology = made("cores=3,threads=2,little=1");
  EXPECT_TRUE(topology.hybrid());
  EXPECT_THAT(each(topology, &Cpu::capacity), ElementsAre(1024, 1024, 1024, 1024, 512, 512));
}

TEST(SimTopology, MakesAsManyCoresAsCpusAskFor) {
  EXPECT_EQ(made("threads=2", 8).nr_cores(), 4U);
  EXPECT_EQ(made("sockets=2,threads=2", 8).nr_cores(), 4U);
  EXPECT_EQ(made("cores=4,threads=2", 8).nr_online(), 8U);
}

TEST(SimTopology, RefusesPartsThatAreNone) {
  for (const std::string part :
       {"dies=2", "cores", "cores=", "cores=0", "cores=-1", "cores=x", "cores=2000", "=2", " "})
    EXPECT_THAT(refused(part), HasSubstr("\"" + part + "\" is not (sockets|cores|")) << part;
  EXPECT_THAT(refused("cores=2,cores=2"), HasSubstr("\"cores=2\" is not"));
  EXPECT_THAT(refused("cores=2,"), HasSubstr("\"\" is not"));
  EXPECT_THAT(refused(",cores=2"), HasSubstr("\"\" is not"));
}

TEST(SimTopology, RefusesWhatDoesNotFitTogether) {
  EXPECT_EQ(refused("cores=4", 8), "makes 4 CPUs, but --cpus says 8");
  EXPECT_EQ(refused("threads=2", 7), "makes 6 CPUs, but --cpus says 7");
  EXPECT_EQ(refused("sockets=2", 1), "makes 2 CPUs, but --cpus says 1");
  EXPECT_EQ(refused("sockets=64,cores=32"), "makes 2048 CPUs; 1024 is the limit");
  EXPECT_EQ(refused("sockets=1024,cores=1024,threads=1024"),
            "makes 1073741824 CPUs; 1024 is the limit");
  EXPECT_EQ(refused("threads=9"), "has 9 threads in a core; 8 is the limit");
  EXPECT_EQ(made("threads=8").nr_online(), 8U);
  EXPECT_EQ(refused("cores=3,nodes=2"), "the cores and sockets do not divide into 2 nodes");
  EXPECT_EQ(refused("sockets=2,cores=3,nodes=3"),
            "the cores and sockets do not divide into 3 nodes");
  EXPECT_EQ(refused("cores=4,llcs=3"), "the 4 cores of a socket do not divide into 3 LLCs");
  EXPECT_EQ(refused("cores=4,little=4"), "4 of 4 cores cannot be little: one at least is big");
}

}  // namespace
}  // namespace cppland::cli
