// SPDX-License-Identifier: GPL-2.0-only
// trace_test.cc - a trace is JSON, and tells who ran where and when.
#include "sim/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "policies/table.h"
#include "sim/simulation.h"
#include "tests/support/programs.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own
using nlohmann::json;
using ::testing::ElementsAre;

// In nanoseconds, exactly.
std::int64_t ns(const json& us) { return std::llround(us.get<double>() * 1000); }

class TraceTest : public ::testing::Test {
 protected:
  static json traced(unsigned nr_cpus, std::function<void(Stage&)> begin,
                     RunFigures* run = nullptr) {
    const std::string path = ::testing::TempDir() + "cppland_trace_test.json";
    auto file = OutputFile::create(path);
    TraceWriter trace(*file);
    WorkloadOf workload(std::move(begin));
    const auto done = simulate({.policy = policies::all().front(),
                                .workload = "wo\"rk",
                                .topology = cpus(nr_cpus),
                                .duration_ns = kSec},
                               workload, &trace);
    EXPECT_TRUE(done && file->commit());
    if (run) *run = *done;
    return json::parse(read_file(path, std::size_t{1} << 30U).value());
  }

  static std::vector<json> of_phase(const json& trace, std::string_view phase) {
    std::vector<json> found;
    for (const json& event : trace.at("traceEvents")) {
      if (event.at("ph") == phase) found.push_back(event);
    }
    return found;
  }
};

void frames_and_hogs(Stage& stage) {
  for (int i = 0; i < 5; ++i) hog_job(stage);
  for (int i = 0; i < 3; ++i) frame_job(stage);
}

TEST_F(TraceTest, SlicesOfOneCpuNeverOverlap) {
  std::map<int, std::vector<std::pair<std::int64_t, std::int64_t>>> slices;
  for (const json& slice : of_phase(traced(3, frames_and_hogs), "X"))
    slices[slice.at("tid")].emplace_back(ns(slice.at("ts")), ns(slice.at("dur")));
  EXPECT_EQ(slices.size(), 3U);
  for (auto& [cpu, of_cpu] : slices) {
    std::ranges::sort(of_cpu);
    EXPECT_GT(of_cpu.size(), 100U);
    for (std::size_t i = 0; i < of_cpu.size(); ++i) {
      EXPECT_GE(of_cpu[i].first, 0);
      EXPECT_GT(of_cpu[i].second, 0);
      const auto next = i + 1 < of_cpu.size() ? of_cpu[i + 1].first : std::int64_t{kSec};
      ASSERT_LE(of_cpu[i].first + of_cpu[i].second, next) << "CPU " << cpu << ", slice " << i;
    }
  }
}

TEST_F(TraceTest, NoTaskRunsInTwoPlacesAtOnce) {
  std::map<int, std::vector<std::pair<std::int64_t, std::int64_t>>> slices;
  for (const json& slice : of_phase(traced(3, frames_and_hogs), "X"))
    slices[slice.at("args").at("task")].emplace_back(ns(slice.at("ts")), ns(slice.at("dur")));
  EXPECT_EQ(slices.size(), 9U);  // with the agent
  for (auto& [task, of_task] : slices) {
    std::ranges::sort(of_task);
    for (std::size_t i = 1; i < of_task.size(); ++i)
      ASSERT_LE(of_task[i - 1].first + of_task[i - 1].second, of_task[i].first) << task;
  }
}

TEST_F(TraceTest, TellsAllThatTheFiguresTell) {
  RunFigures run;
  const json trace = traced(2, frames_and_hogs, &run);
  double seconds = 0;
  for (const json& slice : of_phase(trace, "X")) {
    if (slice.at("name") != "agent") seconds += static_cast<double>(ns(slice.at("dur"))) / 1e9;
  }
  // The figures have the time of switching, too.
  EXPECT_LE(seconds, run.all.cpu_seconds);
  EXPECT_NEAR(seconds, run.all.cpu_seconds, 0.05);
  const auto frames = std::ranges::count_if(
      of_phase(trace, "i"), [](const json& wakeup) { return wakeup.at("name") == "frame"; });
  const auto told = static_cast<std::int64_t>(run.all.wakeups);
  EXPECT_GE(frames, told + 3);  // with the start of each
  EXPECT_LE(frames, told + 6);  // a wait that the end cuts short before it begins
}

TEST_F(TraceTest, GoesOnUntilTheEnd) {
  const auto slices = of_phase(traced(1, [](Stage& stage) { hog_job(stage); }), "X");
  ASSERT_FALSE(slices.empty());
  EXPECT_EQ(ns(slices.back().at("ts")) + ns(slices.back().at("dur")), std::int64_t{kSec});
}

TEST_F(TraceTest, NamesItsTracks) {
  std::vector<std::string> names;
  for (const json& about : of_phase(traced(2, frames_and_hogs), "M")) {
    if (about.at("args").contains("name")) names.push_back(about.at("args").at("name"));
  }
  EXPECT_THAT(names, ElementsAre("wo\"rk, policy deadline", "CPU 0", "CPU 1"));
}

TEST_F(TraceTest, TakesTasksOfAnyName) {
  const std::string odd = "a\"b\\c\n\x01";
  const json trace = traced(1, [&](Stage& stage) {
    stage.start({.name = odd, .program = std::make_unique<HogProgram>()});
    stage.start({.name = "\xff", .program = std::make_unique<HogProgram>()});
  });
  std::vector<std::string> names;
  for (const json& slice : of_phase(trace, "X")) names.push_back(slice.at("name"));
  EXPECT_TRUE(std::ranges::find(names, odd) != names.end());
  EXPECT_TRUE(std::ranges::find(names, "\uFFFD") != names.end());
}

TEST_F(TraceTest, EndsTheRunWhenTheDiskIsFull) {
  auto file = OutputFile::create("/dev/full");
  TraceWriter trace(*file);
  WorkloadOf workload(frames_and_hogs);
  double part = 0;
  const auto done = simulate({.policy = policies::all().front(),
                              .workload = "test",
                              .topology = cpus(4),
                              .duration_ns = 100 * kSec},
                             workload, &trace, [&](double so_far) {
                               part = so_far;
                               return true;
                             });
  EXPECT_FALSE(done);
  EXPECT_LT(part, 0.1);
  EXPECT_FALSE(file->commit());
}

// A task is taken off before the switch to it is over, and another comes on.
TEST_F(TraceTest, ASwitchThatCameToNothingIsNoSlice) {
  const std::string path = ::testing::TempDir() + "cppland_trace_test.json";
  auto file = OutputFile::create(path);
  TraceWriter trace(*file);
  const Machine machine(cpus(1));
  Task task;
  task.name = "t";
  trace.begin(machine, "p", "w");
  trace.began(task, 0, machine.now() + 100);
  trace.ended(task, 0, machine.now() + 90);
  trace.end(machine.now() + 200);
  ASSERT_TRUE(file->commit());
  EXPECT_TRUE(of_phase(json::parse(read_file(path).value()), "X").empty());
}

}  // namespace
}  // namespace cppland::sim
