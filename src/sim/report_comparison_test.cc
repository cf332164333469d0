// SPDX-License-Identifier: GPL-2.0-only
// report_comparison_test.cc - means, intervals, and which differences are more than chance.
#include "sim/report_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cppland::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RunFigures run_of(std::string policy, std::uint64_t seed, double p99) {
  return {.policy = std::move(policy),
          .workload = "browser",
          .cpus = 4,
          .seed = seed,
          .seconds = 10,
          .classes = {{.name = "frame", .tasks = 1, .wakeups = 600, .p99_us = p99}},
          .throughput = 0.5};
}

const ComparedFigure& figure(const Comparison& comparison, std::string_view group,
                             std::string_view key) {
  const auto found = std::ranges::find_if(comparison.figures, [&](const ComparedFigure& each) {
    return each.group == group && each.key == key;
  });
  EXPECT_NE(found, comparison.figures.end());
  return *found;
}

// What the seed does to both policies is far more than the difference.
std::vector<RunFigures> noisy_seeds() {
  return {run_of("a", 1, 100), run_of("a", 2, 500), run_of("a", 3, 900),
          run_of("b", 1, 111), run_of("b", 2, 509), run_of("b", 3, 910)};
}

TEST(Comparison, IsOfPoliciesAndSeedsInTheirOrder) {
  const Comparison comparison = compare(noisy_seeds());
  EXPECT_THAT(comparison.policies, ElementsAre("a", "b"));
  EXPECT_THAT(comparison.seeds, ElementsAre(1, 2, 3));
}

TEST(Comparison, HasMeansAndIntervals) {
  const auto comparison = compare(noisy_seeds());
  const auto& p99 = figure(comparison, "frame", "p99_us").policies;
  EXPECT_DOUBLE_EQ(p99[0].value.mean, 500);
  EXPECT_NEAR(p99[0].value.half_width.value_or(0), 4.303 * 400 / 1.7321, 1);
  EXPECT_DOUBLE_EQ(p99[1].value.mean, 510);
}

TEST(Comparison, FindsADifferenceBehindTheSeedsNoise) {
  const auto comparison = compare(noisy_seeds());
  const auto& p99 = figure(comparison, "frame", "p99_us").policies;
  EXPECT_FALSE(p99[0].difference);
  EXPECT_FALSE(p99[0].significant());
  ASSERT_TRUE(p99[1].difference);
  EXPECT_DOUBLE_EQ(p99[1].difference->mean, 10);
  EXPECT_TRUE(p99[1].significant());
}

TEST(Comparison, TakesChanceForChance) {
  auto runs = noisy_seeds();
  runs.back().classes[0].p99_us = 870;
  const auto comparison = compare(runs);
  EXPECT_FALSE(figure(comparison, "frame", "p99_us").policies[1].significant());
  EXPECT_FALSE(figure(comparison, "", "throughput").policies[1].significant());
}

TEST(Comparison, LeavesOutRunsWithoutTheClass) {
  auto runs = noisy_seeds();
  runs[4].classes[0].name = "other";
  const auto comparison = compare(runs);
  const auto& p99 = figure(comparison, "frame", "p99_us").policies[1];
  EXPECT_DOUBLE_EQ(p99.value.mean, (111 + 910) / 2.0);
  EXPECT_DOUBLE_EQ(p99.difference.value_or(Interval{}).mean, 10.5);
  const auto& other = figure(comparison, "other", "p99_us").policies;
  EXPECT_DOUBLE_EQ(other[1].value.mean, 509);
  EXPECT_FALSE(other[1].significant());
}

TEST(ComparisonTable, MarksWhatDiffers) {
  const auto runs = noisy_seeds();
  const std::string table = to_table(compare(runs), runs.front());
  EXPECT_THAT(table, HasSubstr("browser: 4 CPUs, seeds 1 to 3, 10 s each\n"));
  EXPECT_THAT(table, HasSubstr("500.0 ± 993.7       510.0 ± 992.4 *\n"));
  EXPECT_THAT(table, HasSubstr("*: differs from a: the 95 % confidence interval of the "
                               "differences, seed by seed, leaves out 0.\n"));
  EXPECT_THAT(table, Not(HasSubstr("missed")));  // nothing was, nor could be
  EXPECT_THAT(table, Not(HasSubstr("Chance")));
}

TEST(ComparisonTable, SaysWhatOneSeedIsWorth) {
  const std::vector runs{run_of("a", 1, 100), run_of("b", 1, 900)};
  const std::string table = to_table(compare(runs), runs.front());
  EXPECT_THAT(table, HasSubstr("seed 1, 10 s each"));
  EXPECT_THAT(table, HasSubstr("One seed says nothing of chance"));
  EXPECT_THAT(table, Not(HasSubstr("±")));
  EXPECT_THAT(table, Not(HasSubstr("*")));
}

TEST(ComparisonTable, SaysThatAllSeedsAreOne) {
  const std::vector runs{run_of("a", 1, 100), run_of("a", 2, 100)};
  EXPECT_THAT(to_table(compare(runs), runs.front()),
              HasSubstr("Chance has no part in this workload: all seeds are one.\n"));
}

// As the indices of fairness are: not the same to the last bit, and means of them are rounded.
TEST(ComparisonTable, TakesRoundingForNothing) {
  std::vector<RunFigures> runs;
  for (const std::string policy : {"a", "b"}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      runs.push_back(run_of(policy, seed, 0.9998));
      runs.back().throughput = policy == "a" ? 1 : 0.9999999999999998;
    }
  }
  const std::string table = to_table(compare(runs), runs.front());
  EXPECT_THAT(table, HasSubstr("Chance has no part in this workload: all seeds are one.\n"));
  EXPECT_THAT(table, Not(HasSubstr(" *\n")));
}

TEST(ReportJson, HasAllRunsAndTheirComparison) {
  const auto runs = noisy_seeds();
  const auto report = to_json(std::span(runs));
  EXPECT_EQ(report.at("version"), 1);
  EXPECT_EQ(report.at("runs").size(), 6U);
  EXPECT_EQ(report.at("runs").at(4).at("policy"), "b");
  const auto& comparison = report.at("comparison");
  EXPECT_EQ(comparison.at("baseline"), "a");
  EXPECT_EQ(comparison.at("seeds"), nlohmann::ordered_json({1, 2, 3}));
  EXPECT_EQ(comparison.at("confidence"), 0.95);
  const auto& p99 = comparison.at("figures").at(1);
  EXPECT_EQ(p99.at("class"), "frame");
  EXPECT_EQ(p99.at("figure"), "p99_us");
  EXPECT_EQ(p99.at("policies").at("a").at("mean"), 500);
  EXPECT_FALSE(p99.at("policies").at("a").contains("difference"));
  EXPECT_EQ(p99.at("policies").at("b").at("difference"), 10);
  EXPECT_EQ(p99.at("policies").at("b").at("significant"), true);
  EXPECT_TRUE(comparison.at("figures").back().at("class").is_null());
}

TEST(ReportJson, HasNoIntervalOfOneRun) {
  const std::vector runs{run_of("a", 1, 100)};
  const auto report = to_json(std::span(runs));
  EXPECT_TRUE(report.at("comparison")
                  .at("figures")
                  .at(1)
                  .at("policies")
                  .at("a")
                  .at("half_width")
                  .is_null());
}

}  // namespace
}  // namespace cppland::sim
