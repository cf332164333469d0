// SPDX-License-Identifier: GPL-2.0-only
// report_test.cc - one run as a table and as JSON.
#include "sim/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cppland::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunFigures example() {
  const ClassFigures frame{.name = "frame",
                           .tasks = 1,
                           .wakeups = 600,
                           .p50_us = 1.25,
                           .p99_us = 2.5,
                           .max_us = 3,
                           .periods = 601,
                           .missed = 7,
                           .cpu_seconds = 0.3,
                           .units = 601};
  const ClassFigures hog{.name = "hog", .tasks = 4, .cpu_seconds = 9, .units = 90};
  ClassFigures all = frame;
  all.name = "all";
  return {.policy = "deadline",
          .workload = "browser",
          .cpus = 8,
          .seed = 1,
          .seconds = 10,
          .classes = {frame, hog},
          .all = all,
          .fairness = {.jain = 0.5, .weighted = 0.75, .tasks = 4, .classes = {"hog"}},
          .throughput = 0.99,
          .migrations = 10,
          .agent_share = 0.01,
          .decisions = 100,
          .kernel_dispatches = 5,
          .events = 101,
          .failovers = 2};
}

TEST(RunTable, HasEveryFigure) {
  EXPECT_EQ(to_table(example()),
            "browser under deadline: 8 CPUs, seed 1, 10 s\n"
            "\n"
            "class   tasks   wake-ups   p50 (us)   p99 (us)    max (us)  missed/periods    CPU (s)"
            "      units\n"
            "frame       1        600        1.2        2.5         3.0           7/601      0.300"
            "        601\n"
            "hog         4          0          -          -           -               -      9.000"
            "         90\n"
            "all         1        600        1.2        2.5         3.0           7/601      0.300"
            "        601\n"
            "\n"
            "fairness     0.5000 equal, 0.7500 by weight (Jain's index of the CPU time of 4 tasks "
            "that wanted a CPU all the time: hog)\n"
            "throughput   99.00 % of the CPUs' time, and the agent 1.00 %\n"
            "migrations   10\n"
            "decisions    100 by the policy, 5 by the dispatcher; 101 events, 2 failovers\n");
}

TEST(RunTable, SaysThatNobodyWantedACpuAllTheTime) {
  RunFigures run = example();
  run.fairness = {};
  EXPECT_THAT(to_table(run), HasSubstr("fairness     no task wanted a CPU all the time\n"));
}

TEST(RunTable, NeedsNoSumOfOneClass) {
  RunFigures run = example();
  run.classes.pop_back();
  EXPECT_THAT(to_table(run), Not(HasSubstr("\nall ")));
}

TEST(RunExit, IsSaidInOneLine) {
  RunFigures run = example();
  run.seconds = 2.5;
  run.exit = {Exit::kStall, "hog[107] failed to run for 5.000s"};
  EXPECT_EQ(exit_line(run),
            "the kernel ended the policy deadline after 2.500 s (seed 1): stall (1026): hog[107] "
            "failed to run for 5.000s");
}

TEST(RunJson, HasItsSchema) {
  const auto expected = nlohmann::json::parse(R"({
    "policy": "deadline", "workload": "browser", "cpus": 8, "seed": 1, "seconds": 10.0,
    "classes": {
      "frame": {"tasks": 1, "wakeups": 600, "p50_us": 1.25, "p99_us": 2.5, "max_us": 3.0,
                "periods": 601, "missed": 7, "cpu_seconds": 0.3, "units": 601},
      "hog": {"tasks": 4, "wakeups": 0, "p50_us": 0.0, "p99_us": 0.0, "max_us": 0.0,
              "periods": 0, "missed": 0, "cpu_seconds": 9.0, "units": 90}},
    "all": {"tasks": 1, "wakeups": 600, "p50_us": 1.25, "p99_us": 2.5, "max_us": 3.0,
            "periods": 601, "missed": 7, "cpu_seconds": 0.3, "units": 601},
    "fairness": {"jain": 0.5, "weighted": 0.75},
    "throughput": 0.99, "migrations": 10, "agent_share": 0.01, "decisions": 100,
    "kernel_dispatches": 5, "events": 101, "failovers": 2,
    "exit": {"kind": 0, "message": ""}})");
  EXPECT_EQ(nlohmann::json::parse(to_json(example()).dump()), expected);
}

TEST(RunJson, ComesBackAsItWas) {
  RunFigures run = example();
  run.throughput = 1.0 / 3;
  run.exit = {Exit::kError, "why"};
  EXPECT_EQ(to_json(run_from_json(to_json(run))), to_json(run));
}

}  // namespace
}  // namespace cppland::sim
