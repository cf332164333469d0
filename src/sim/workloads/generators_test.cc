// SPDX-License-Identifier: GPL-2.0-only
// generators_test.cc - what generated tasks do, and the parameters that change it.
#include "sim/workloads/generators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/play.h"

namespace cppland::sim {
namespace {

using namespace cppland::sim::testing;  // NOLINT(google-build-using-namespace): these tests' words
using ::testing::AllOf;
using ::testing::HasSubstr;

std::unique_ptr<Workload> made(std::string_view name, std::string_view parameters = "") {
  auto workload = generate(*find_generator(name), parameters);
  EXPECT_TRUE(workload) << workload.error().message();
  return std::move(*workload);
}

std::string message(std::string_view name, std::string_view parameters) {
  const auto workload = generate(*find_generator(name), parameters);
  EXPECT_FALSE(workload);
  return workload ? "" : workload.error().message();
}

TEST(Settings, SayWhichParametersThereAre) {
  EXPECT_THAT(message("frames", "task=4"),
              AllOf(HasSubstr("\"task\" is no parameter"), HasSubstr("tasks, hz, work-us")));
  EXPECT_THAT(message("frames", "hz"), HasSubstr("hz takes a number from 1 to 10000"));
  EXPECT_THAT(message("frames", "hz="), HasSubstr("hz takes a number"));
  EXPECT_THAT(message("frames", "hz=0"), HasSubstr("\"hz=0\""));
  EXPECT_THAT(message("frames", "hz=60x"), HasSubstr("hz takes a number"));
  EXPECT_THAT(message("frames", "hz=60,nice=99"), HasSubstr("nice takes a number from 0 to 19"));
  EXPECT_THAT(message("hogs", ",per-cpu=1"), HasSubstr("\"\" is no parameter"));
}

TEST(Settings, DefaultsLieWithinTheirBounds) {
  for (const Generator& generator : generators()) {
    for (const Setting& parameter : generator.parameters) {
      EXPECT_GE(parameter.value, parameter.least) << generator.name << ' ' << parameter.name;
      EXPECT_LE(parameter.value, parameter.most) << generator.name << ' ' << parameter.name;
    }
  }
}

TEST(Frames, ComeSixtyTimesASecondForEachTask) {
  Play play(made("frames"), 8, at_no_cost());
  play.run(2 * kSec);
  EXPECT_EQ(play.count("frame"), 2U);
  EXPECT_NEAR(static_cast<double>(play.progress("frame").periods), 240, 3);
  EXPECT_EQ(play.progress("frame").units, play.progress("frame").periods);
  EXPECT_EQ(play.progress("frame").missed, 0U);
}

TEST(Frames, ThatAreNotDoneBeforeTheNextAreMissed) {
  Play play(made("frames", "tasks=1,hz=100,work-us=25000,jitter=0"), 1, at_no_cost());
  play.run(kSec);
  const Progress frames = play.progress("frame");
  EXPECT_NEAR(static_cast<double>(frames.periods), 99, 3);
  EXPECT_EQ(frames.missed, frames.periods);
  EXPECT_NEAR(static_cast<double>(frames.units), 33, 2);
}

TEST(Audio, FillsABufferEveryFiveMilliseconds) {
  Play play(made("audio", "nice=3"), 1);
  play.run(kSec);
  EXPECT_NEAR(static_cast<double>(play.progress("audio").periods), 200, 2);
  EXPECT_EQ(play.task("audio").nice, 3);
  EXPECT_NEAR(static_cast<double>(play.task("audio").se.sum_exec_runtime), 60e6, 5e6);
}

TEST(Request, EveryRequestIsAnswered) {
  Play play(made("request", "pairs=2,think-us=1000"), 2);
  play.run(kSec);
  EXPECT_EQ(play.count("client"), 2U);
  EXPECT_GT(play.progress("client").units, 1500U);
  EXPECT_NEAR(static_cast<double>(play.progress("client").units),
              static_cast<double>(play.progress("server").units), 2);
}

TEST(Request, WithoutThinkingTheServerIsAskedAtOnce) {
  Play play(made("request", "pairs=1,think-us=0,work-us=100"), 1, at_no_cost());
  play.run(kSec);
  EXPECT_NEAR(static_cast<double>(play.progress("server").units), 1e6 / 106, 5);
}

TEST(Hackbench, WhatIsSentIsReceivedUpToWhatBuffersHold) {
  Play play(made("hackbench", "groups=2,fan=3,buffer=5"), 2);
  play.run(kSec);
  EXPECT_EQ(play.count("sender"), 6U);
  EXPECT_EQ(play.count("receiver"), 6U);
  const std::uint64_t sent = play.progress("sender").units;
  const std::uint64_t received = play.progress("receiver").units;
  EXPECT_GT(received, 50'000U);
  EXPECT_GE(sent, received);
  EXPECT_LE(sent, received + 30);
}

TEST(Compile, KeepsAJobForEachCpuGoing) {
  Play play(made("compile", "least-ms=20,most-ms=60"), 4);
  play.run(2 * kSec);
  const std::uint64_t done = play.progress("compile").units;
  EXPECT_NEAR(static_cast<double>(done), 4 * 2000 / 42.0, 30);
  EXPECT_EQ(play.count("compile"), done + 4);
  const auto dead = static_cast<std::uint64_t>(
      std::ranges::count(play.started(), TaskState::kDead,
                         [](const Play::Started& each) { return each.task->state; }));
  EXPECT_GE(done, dead);
  EXPECT_LE(done, dead + 4);  // who is done may have some way to go yet
}

TEST(Hogs, TakeAllTheTimeOfEveryCpu) {
  Play play(made("hogs", "nice=1"), 2);
  play.run(kSec);
  EXPECT_EQ(play.count("hog"), 8U);
  EXPECT_LT(play.machine().idle_ns(0) + play.machine().idle_ns(1), kMs);
  EXPECT_NEAR(static_cast<double>(play.progress("hog").units), 2000, 60);
}

TEST(ForkStorm, ParentsWaitForAllTheirChildren) {
  Play play(made("fork-storm", "parents=1,children=5,pause-ms=10"), 2);
  play.run(kSec);
  const std::uint64_t rounds = play.progress("parent").units;
  EXPECT_GT(rounds, 50U);
  EXPECT_GE(play.progress("child").units, 5 * rounds);
  EXPECT_LE(play.count("child"), 5 * (rounds + 1));
}

}  // namespace
}  // namespace cppland::sim
