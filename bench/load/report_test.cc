// SPDX-License-Identifier: GPL-2.0-only
// report_test.cc - what a run's figures look like.
#include "report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace cppland::load {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

PeriodicResult two_periods() {
  PeriodicLedger ledger(0, 16 * kMillisecond);
  ledger.finished(20 * kMicrosecond, 17 * kMillisecond, 0, kSecond);
  return ledger.result();
}

Figures with_frames() {
  Figures figures;
  figures.frame = two_periods();
  return figures;
}

Figures with_hogs(std::vector<HogFigures> hogs) {
  Figures figures;
  figures.cpus = 1;
  figures.hogs = std::move(hogs);
  return figures;
}

Options weighing(std::vector<int> nices) {
  Options options;
  options.hog_nices = std::move(nices);
  options.weights = true;
  return options;
}

TEST(Report, LeavesOutWhatDidNotRun) {
  Options options;
  options.frames = 1;
  const Figures figures = with_frames();
  const auto json = to_json(figures, options);
  EXPECT_TRUE(json.contains("frame"));
  for (const char* name : {"audio", "pair", "hogs", "with"}) {
    EXPECT_FALSE(json.contains(name)) << name;
  }
  EXPECT_THAT(to_table(figures, options), Not(HasSubstr("audio")));
}

TEST(Report, CountsMissedPeriodsAndGivesMicroseconds) {
  Options options;
  options.frames = 1;
  const Figures figures = with_frames();
  const auto frame = to_json(figures, options)["frame"];
  EXPECT_EQ(frame["periods"], 2);
  EXPECT_EQ(frame["missed"], 2);
  EXPECT_EQ(frame["late"], 1);
  EXPECT_EQ(frame["skipped"], 1);
  EXPECT_EQ(frame["wakeup"]["count"], 1);
  EXPECT_EQ(frame["wakeup"]["max_us"], 20.0);
  EXPECT_EQ(frame["wakeup"]["cells"].dump(), "[[20.0,1]]");
  EXPECT_THAT(to_table(figures, options), HasSubstr("2 of 2"));
}

TEST(Report, SharesAreComparedWithTheWeights) {
  const Options options = weighing({0, 10});
  const Figures figures = with_hogs({{.nice = 0, .cpu_seconds = 1.5, .units = 300},
                                     {.nice = 10, .cpu_seconds = 0.5, .units = 100}});
  const auto hogs = to_json(figures, options)["hogs"];
  EXPECT_EQ(hogs["units"], 400);
  EXPECT_FALSE(hogs.contains("longest_unit_us"));
  EXPECT_EQ(hogs["cpu_seconds"], 2.0);
  EXPECT_EQ(hogs["each"][1]["weight"], 110);
  EXPECT_EQ(hogs["each"][1]["share"], 0.25);
  EXPECT_DOUBLE_EQ(hogs["each"][1]["expected_share"].get<double>(), 110.0 / 1134);
  EXPECT_THAT(to_table(figures, options),
              HasSubstr("nice  10:  25.00 % of the hogs' CPU time, 9.70 % due"));
}

TEST(Report, TellsTheLongestUnitOfAnyHogIfAsked) {
  Options options;
  options.hog_nices = {0, 0};
  options.hog_pauses = true;
  const Figures figures =
      with_hogs({{.longest_unit = 2 * kMillisecond}, {.longest_unit = 30 * kMillisecond}});
  EXPECT_EQ(to_json(figures, options)["hogs"]["longest_unit_us"], 30'000.0);
  EXPECT_THAT(to_table(figures, options), HasSubstr("longest unit: 30.0 ms"));
}

TEST(Report, HogsThatNeverRanHaveNoShare) {
  const Options options = weighing({0});
  const auto hogs =
      to_json(with_hogs({{.nice = 0, .cpu_seconds = 0, .units = 0}}), options)["hogs"];
  EXPECT_EQ(hogs["each"][0]["share"], 0.0);
}

TEST(Report, ARunEndedBeforeItsMeasuredTimeHasNoHogs) {
  const Options options = weighing({0, 0});
  Figures figures;
  figures.signal = SIGINT;
  EXPECT_EQ(to_json(figures, options)["hogs"]["each"].size(), 0U);
  EXPECT_THAT(to_table(figures, options), HasSubstr("0.00 s"));
}

TEST(Report, TellsTheBackgroundsWork) {
  Options options;
  options.background = "make";
  Figures figures;
  figures.background = {.runs = 3, .failed = 1, .jobs = 17, .cpu_seconds = 1.25};
  EXPECT_EQ(to_json(figures, options)["with"].dump(),
            R"({"command":"make","runs":3,"failed":1,"jobs":17,"cpu_seconds":1.25})");
  EXPECT_THAT(to_table(figures, options), HasSubstr("3 runs, 17 jobs in 1.25 s"));
}

}  // namespace
}  // namespace cppland::load
