// SPDX-License-Identifier: GPL-2.0-only
// parameters_test.cc - every cost has a name, and what cannot be set is refused.
#include "sim/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace cppland::sim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string refused(std::string_view setting) {
  Parameters parameters;
  const auto done = set_parameter(parameters, setting);
  return done ? "accepted" : done.error().tried();
}

TEST(Parameters, SetWhatTheyName) {
  Parameters parameters;
  ASSERT_TRUE(set_parameter(parameters, "slice-us=5000"));
  ASSERT_TRUE(set_parameter(parameters, "slice-us-min=300"));
  ASSERT_TRUE(set_parameter(parameters, "timeout-ms=2000"));
  ASSERT_TRUE(set_parameter(parameters, "cold-cache-ns=0"));
  ASSERT_TRUE(set_parameter(parameters, "agent-event-ns=17"));
  EXPECT_EQ(parameters.policy.slice_ns, 5'000'000U);
  EXPECT_EQ(parameters.policy.slice_min_ns, 300'000U);
  EXPECT_EQ(parameters.machine.timeout_ns, 2'000'000'000U);
  EXPECT_EQ(parameters.machine.costs.cold_cache, 0U);
  EXPECT_EQ(parameters.agent.event, 17U);
}

TEST(Parameters, EachHasItsOwnPlaceAndADefaultWithinItsBounds) {
  Parameters parameters;
  std::set<const std::uint64_t*> places;
  for (const Parameter& parameter : all_parameters()) {
    EXPECT_TRUE(places.insert(&parameter.in(parameters)).second) << parameter.name;
    EXPECT_GE(parameter.default_value(), parameter.least) << parameter.name;
    EXPECT_LE(parameter.default_value(), parameter.most) << parameter.name;
    const std::string setting = fmt::format("{}={}", parameter.name, parameter.least);
    ASSERT_TRUE(set_parameter(parameters, setting)) << setting;
    EXPECT_EQ(parameter.in(parameters), parameter.least * parameter.unit_ns);
  }
}

TEST(Parameters, ScaleEveryCostButTheSpeedOfSmt) {
  const Costs costs = Costs{.timer_interrupt = 1,
                            .wake_up = 2,
                            .wake_call = 9,
                            .dispatch = 3,
                            .context_switch = 4,
                            .migration = 5,
                            .cold_cache = 6,
                            .interrupt_to_cpu = 7,
                            .exit = 8}
                          .scaled(400);
  EXPECT_EQ(costs.timer_interrupt, 4U);
  EXPECT_EQ(costs.wake_up, 8U);
  EXPECT_EQ(costs.wake_call, 36U);
  EXPECT_EQ(costs.dispatch, 12U);
  EXPECT_EQ(costs.context_switch, 16U);
  EXPECT_EQ(costs.migration, 20U);
  EXPECT_EQ(costs.cold_cache, 24U);
  EXPECT_EQ(costs.interrupt_to_cpu, 28U);
  EXPECT_EQ(costs.exit, 32U);
  EXPECT_EQ(costs.smt_percent, Costs{}.smt_percent);
  const AgentCosts agent = AgentCosts{.pass = 10, .event = 20, .decision = 30}.scaled(50);
  EXPECT_EQ(agent.pass, 5U);
  EXPECT_EQ(agent.event, 10U);
  EXPECT_EQ(agent.decision, 15U);
}

// A cost that is new needs a name, too.
TEST(Parameters, NameEveryCost) {
  const auto costs = static_cast<std::size_t>(
      std::ranges::count_if(all_parameters(), [](const Parameter& parameter) {
        return parameter.name.ends_with("-ns") || parameter.name == "smt-percent";
      }));
  EXPECT_EQ(costs, (sizeof(Costs) + sizeof(AgentCosts)) / sizeof(std::uint64_t));
}

TEST(Parameters, RefuseUnknownNamesAndTellThoseThatThereAre) {
  EXPECT_THAT(refused("slice=3"), HasSubstr("there is no parameter \"slice\"; there are slice-us, "
                                            "slice-us-min, tick-us, "));
  EXPECT_THAT(refused("slice=3"), EndsWith("cost-percent"));
  EXPECT_THAT(refused("=3"), HasSubstr("there is no parameter \"\""));
}

TEST(Parameters, RefuseWhatIsNoValue) {
  for (const std::string value : {"", "x", "-1", "1.5", "0", "1000001", "99999999999999999999"})
    EXPECT_EQ(refused("slice-us=" + value),
              "slice-us: \"" + value + "\" is no number from 1 to 1000000");
  EXPECT_EQ(refused("slice-us"), "\"slice-us\" is not of the form NAME=VALUE");
}

}  // namespace
}  // namespace cppland::sim
