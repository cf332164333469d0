// SPDX-License-Identifier: GPL-2.0-only
// description_test.cc - what a running dispatcher says of itself, and who may take it over.
#include "kernel/live/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cppland::live {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DescriptionTest : public ::testing::Test {
 protected:
  DescriptionTest() {
    shm_->nr_cpu_ids = 4;
    shm_->nr_domains = 2;
    shm_->timeout_ms = 5000;
    shm_->reign = 7;
    shm_->nr_maps = 2;
    shm_->map_id[0] = 11;
    shm_->map_id[1] = 12;
    shm_->domain_of_cpu[2] = shm_->domain_of_cpu[3] = 1;
  }

  static Topology topology() {
    std::vector<Cpu> cpus;
    for (unsigned id = 0; id < 4; ++id) cpus.push_back({.id = id, .core = id});
    return Topology(std::move(cpus));
  }

  Description described() {
    const auto description = read_description(*shm_, topology());
    EXPECT_TRUE(description) << description.error().message();
    return description.value_or(Description{});
  }

  std::unique_ptr<cppland_shm> shm_ = std::make_unique<cppland_shm>();
};

TEST_F(DescriptionTest, IsReadOnce) {
  const Description description = described();
  EXPECT_EQ(description.reign, 7U);
  EXPECT_EQ(description.timeout_ms, 5000U);
  EXPECT_THAT(description.maps, ElementsAre(11, 12));
  EXPECT_THAT(description.domains, ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
}

TEST_F(DescriptionTest, IsRefusedIfItMakesNoSense) {
  const cppland_shm right = *shm_;
  for (const auto& change : std::vector<std::function<void(cppland_shm&)>>{
           [](auto& shm) { shm.nr_cpu_ids = 5; },
           [](auto& shm) { shm.nr_domains = 0; },
           [](auto& shm) { shm.nr_domains = 1; },  // then CPU 2 has none
           [](auto& shm) { shm.nr_domains = 3; },  // then one has no CPU
           [](auto& shm) { shm.nr_domains = CPPLAND_MAX_DOMAINS + 1; },
           [](auto& shm) { shm.nr_maps = CPPLAND_MAX_MAPS + 1; },
           [](auto& shm) { shm.domain_of_cpu[1] = 255; },
       }) {
    *shm_ = right;
    change(*shm_);
    const auto description = read_description(*shm_, topology());
    ASSERT_FALSE(description);
    EXPECT_THAT(description.error().tried(),
                AllOf(StartsWith("--upgrade: the running dispatcher says of itself that "),
                      EndsWith(kForceWouldHelp)));
  }
}

TEST_F(DescriptionTest, WhatItWasLoadedWithStays) {
  struct Case {
    std::uint32_t fixed;
    DispatcherOptions options;
    bool one_agent;
    std::string why;  // "": it can be taken over
  };
  for (const Case& c : {
           Case{0, {.name = "x"}, false, ""},
           {CPPLAND_FIXED_PARTIAL, {.name = "x", .partial = true}, false, ""},
           {CPPLAND_FIXED_NUMA_LOCAL, {.name = "x", .numa_local = true}, false, ""},
           {0, {.name = "x", .partial = true}, false, "without --partial"},
           {CPPLAND_FIXED_PARTIAL, {.name = "x"}, false, "with --partial"},
           {0, {.name = "x", .numa_local = true}, false, "without --numa-local"},
           {CPPLAND_FIXED_NUMA_LOCAL, {.name = "x"}, false, "with --numa-local"},
           {0, {.name = "x"}, true, "without --one-agent"},
           {0, {.name = "x", .max_wait_ms = 2500}, false, ""},
           {0, {.name = "x", .max_wait_ms = 2501}, false, "--max-wait-ms (2501)"},
       }) {
    shm_->fixed = c.fixed;
    const auto possible = check_compatible(described(), c.options, c.one_agent);
    EXPECT_EQ(static_cast<bool>(possible), c.why.empty()) << c.why;
    if (!possible) {
      EXPECT_THAT(possible.error().tried(), AllOf(HasSubstr(c.why), EndsWith(kForceWouldHelp)));
    }
  }
}

}  // namespace
}  // namespace cppland::live
