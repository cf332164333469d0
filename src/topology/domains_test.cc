// SPDX-License-Identifier: GPL-2.0-only
#include "topology/domains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cppland {
namespace {

using ::testing::ElementsAre;

// @llcs caches, each of @each CPUs whose numbers are apart, as siblings of SMT have them.
Topology machine(unsigned llcs, unsigned each) {
  std::vector<Cpu> cpus;
  cpus.reserve(std::size_t{llcs} * each);
  for (unsigned id = 0; id < llcs * each; ++id)
    cpus.push_back({.id = id, .core = id, .llc = id % llcs});
  return Topology(std::move(cpus));
}

TEST(Domains, OneHasAllCpus) {
  EXPECT_THAT(one_domain(machine(2, 2)), ElementsAre(ElementsAre(0, 1, 2, 3)));
}

TEST(Domains, ThereIsOneForEachCache) {
  EXPECT_THAT(llc_domains(machine(2, 4), 4, 64),
              ElementsAre(ElementsAre(0, 2, 4, 6), ElementsAre(1, 3, 5, 7)));
}

TEST(Domains, SmallCachesAreTakenTogether) {
  EXPECT_THAT(llc_domains(machine(4, 2), 4, 64),
              ElementsAre(ElementsAre(0, 1, 4, 5), ElementsAre(2, 3, 6, 7)));
}

TEST(Domains, WhatIsLeftGoesToTheLast) {
  EXPECT_THAT(llc_domains(machine(3, 2), 4, 64), ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5)));
  EXPECT_EQ(llc_domains(machine(5, 2), 4, 64).back().size(), 6U);
}

TEST(Domains, AFewCpusAreOne) {
  EXPECT_THAT(llc_domains(machine(3, 1), 4, 64), ElementsAre(ElementsAre(0, 1, 2)));
}

TEST(Domains, ThereAreNoMoreThanThat) {
  for (const unsigned most : {1U, 3U, 64U}) {
    const Domains domains = llc_domains(machine(100, 5), 4, most);
    EXPECT_LE(domains.size(), most);
    EXPECT_GE(domains.size(), (most + 1) / 2);
    std::size_t all = 0;
    for (const auto& domain : domains) all += domain.size();
    EXPECT_EQ(all, 500U);
  }
}

TEST(Domains, WhoIsOfflineIsInTheFirst) {
  std::vector<Cpu> cpus;
  cpus.reserve(9);
  for (unsigned id = 0; id < 9; ++id)
    cpus.push_back({.id = id, .online = id != 8, .core = id, .llc = id / 4 % 2});
  cpus.back().core = cpus.back().llc = Cpu::kNone;
  EXPECT_THAT(llc_domains(Topology(std::move(cpus)), 4, 64),
              ElementsAre(ElementsAre(0, 1, 2, 3, 8), ElementsAre(4, 5, 6, 7)));
}

}  // namespace
}  // namespace cppland
