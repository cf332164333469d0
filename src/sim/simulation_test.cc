// SPDX-License-Identifier: GPL-2.0-only
// simulation_test.cc - a run's figures are those of what happened, and the same every time.
#include "sim/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/file.h"
#include "policies/table.h"
#include "sim/report.h"
#include "sim/report_comparison.h"
#include "tests/support/programs.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own
using ::testing::ElementsAre;

Simulation on(unsigned nr_cpus, std::uint64_t duration_ns = 2 * kSec) {
  return {.policy = policies::all().front(),
          .workload = "test",
          .topology = cpus(nr_cpus),
          .duration_ns = duration_ns};
}

RunFigures run(const Simulation& simulation, std::function<void(Stage&)> begin) {
  WorkloadOf workload(std::move(begin));
  auto done = simulate(simulation, workload);
  EXPECT_TRUE(done);
  return done ? *std::move(done) : RunFigures{};
}

// Without costs, time is easy to account for.
Simulation free_of_cost(unsigned nr_cpus, std::uint64_t duration_ns = 2 * kSec) {
  Simulation simulation = on(nr_cpus, duration_ns);
  simulation.parameters.machine.costs = {0, 0, 0, 0, 0, 0, 0};
  simulation.parameters.agent = {1'000, 0, 0};
  return simulation;
}

const ClassFigures& class_of(const RunFigures& run, std::string_view name) {
  const auto found = std::ranges::find(run.classes, name, &ClassFigures::name);
  EXPECT_NE(found, run.classes.end()) << name;
  return *found;
}

TEST(Simulation, SaysWhatWasRun) {
  Simulation simulation = on(3);
  simulation.seed = 42;
  const RunFigures done = run(simulation, [](Stage& stage) { hog_job(stage); });
  EXPECT_EQ(done.policy, "deadline");
  EXPECT_EQ(done.workload, "test");
  EXPECT_EQ(done.cpus, 3U);
  EXPECT_EQ(done.seed, 42U);
  EXPECT_DOUBLE_EQ(done.seconds, 2);
  EXPECT_EQ(done.exit.kind, Exit::kNone);
}

TEST(Simulation, LatencyIsFromTheWakeUpUntilTheTaskRuns) {
  Simulation simulation = free_of_cost(1);
  simulation.parameters.machine.costs.context_switch = 7'000;
  const RunFigures done = run(simulation, [](Stage& stage) { frame_job(stage); });
  const ClassFigures& frame = class_of(done, "frame");
  EXPECT_NEAR(frame.p50_us, 7, 0.07);
  EXPECT_NEAR(frame.p99_us, 7, 0.07);
  EXPECT_DOUBLE_EQ(frame.max_us, 7);
}

TEST(Simulation, TheStartOfAllAtTheBeginningIsNoWakeUp) {
  const RunFigures done = run(free_of_cost(3), [](Stage& stage) {
    hog_job(stage);
    hog_job(stage);
    frame_job(stage);
  });
  EXPECT_EQ(class_of(done, "hog").wakeups, 0U);
  EXPECT_EQ(class_of(done, "frame").wakeups, 125U - 1);
}

TEST(Simulation, TheStartOfATaskLaterIsAWakeUp) {
  const RunFigures done = run(on(2), [](Stage& stage) {
    stage.machine().at(stage.machine().now() + kSec / 2, [&stage] { hog_job(stage); });
  });
  EXPECT_EQ(class_of(done, "hog").wakeups, 1U);
  EXPECT_NEAR(class_of(done, "hog").cpu_seconds, 1.5, 0.01);
}

TEST(Simulation, CountsPeriodsAndWhatWasMissed) {
  const RunFigures done = run(free_of_cost(1), [](Stage& stage) {
    frame_job(stage, 15 * kMs);
    stage.start({.name = "late", .program = std::make_unique<PeriodicProgram>(kMs, 2 * kMs)});
  });
  const ClassFigures& late = class_of(done, "late");
  EXPECT_GT(late.periods, 100U);
  EXPECT_EQ(late.missed, late.periods);
  EXPECT_EQ(late.units, late.periods);
  EXPECT_EQ(done.all.periods, late.periods + class_of(done, "frame").periods);
  EXPECT_EQ(done.all.missed, late.missed + class_of(done, "frame").missed);
}

TEST(Simulation, ClassesStandInTheOrderInWhichTheyCame) {
  const RunFigures done = run(on(2), [](Stage& stage) {
    frame_job(stage);
    hog_job(stage);
    frame_job(stage);
    stage.start({.name = "alone", .program = std::make_unique<HogProgram>()});
  });
  std::vector<std::string> names;
  for (const ClassFigures& figures : done.classes) names.push_back(figures.name);
  EXPECT_THAT(names, ElementsAre("frame", "hog", "alone"));
  EXPECT_EQ(class_of(done, "frame").tasks, 2U);
  EXPECT_EQ(done.all.tasks, 4U);
  EXPECT_EQ(done.all.wakeups, class_of(done, "frame").wakeups);
}

TEST(Simulation, AccountsForTheCpusTime) {
  const RunFigures busy = run(on(2), [](Stage& stage) {
    for (int i = 0; i < 5; ++i) hog_job(stage);
    frame_job(stage);
  });
  EXPECT_NEAR(busy.throughput + busy.agent_share, 1, 0.001);
  EXPECT_GT(busy.agent_share, 0.0001);
  EXPECT_GT(busy.decisions, 100U);
  EXPECT_GE(busy.events, busy.decisions);
  const RunFigures lazy = run(free_of_cost(2), [](Stage& stage) { frame_job(stage, 4 * kMs); });
  EXPECT_NEAR(lazy.throughput, 4.0 / 16 / 2, 0.001);
  EXPECT_NEAR(lazy.all.cpu_seconds, 0.5, 0.001);
  EXPECT_GT(lazy.kernel_dispatches, 100U);
}

TEST(Simulation, CountsMigrationsOfTheWorkload) {
  const RunFigures done = run(on(2), [](Stage& stage) {
    Machine& machine = stage.machine();
    Task& task = hog_job(stage, 0, only(0));
    for (unsigned i = 1; i <= 5; ++i)
      machine.at(machine.now() + i * kSec / 10,
                 [&, i] { machine.set_affinity(task, only(i % 2)); });
  });
  EXPECT_EQ(done.migrations, 5U);
}

TEST(SimulationFairness, IsOfTasksThatWantedACpuAllTheTime) {
  const RunFigures done = run(on(2), [](Stage& stage) {
    for (int i = 0; i < 4; ++i) hog_job(stage);
    frame_job(stage);
    stage.start({.name = "pinned", .cpus = only(1), .program = std::make_unique<HogProgram>()});
    stage.machine().at(stage.machine().now() + kSec, [&stage] { hog_job(stage); });
  });
  EXPECT_EQ(done.fairness.tasks, 4U);
  EXPECT_THAT(done.fairness.classes, ElementsAre("hog"));
  EXPECT_NEAR(done.fairness.jain, 1, 0.001);
  EXPECT_NEAR(done.fairness.weighted, 1, 0.001);
}

TEST(SimulationFairness, IsByWeightToo) {
  const RunFigures done = run(on(1, 10 * kSec), [](Stage& stage) {
    hog_job(stage, 0);
    hog_job(stage, 10);
  });
  EXPECT_EQ(done.fairness.tasks, 2U);
  EXPECT_LT(done.fairness.jain, 0.8);
  EXPECT_GT(done.fairness.weighted, 0.99);
}

TEST(SimulationFairness, DoesNotBlameWhoHasAWholeCpu) {
  const RunFigures done = run(on(2), [](Stage& stage) {
    hog_job(stage, 0);
    hog_job(stage, 10);
  });
  EXPECT_GT(done.fairness.weighted, 0.999);
}

TEST(SimulationFairness, OfNobodyIsPerfect) {
  const RunFigures done = run(on(2), [](Stage& stage) { frame_job(stage); });
  EXPECT_EQ(done.fairness.tasks, 0U);
  EXPECT_EQ(done.fairness.jain, 1);
  EXPECT_EQ(done.fairness.weighted, 1);
}

TEST(Simulation, EndsWithTheScheduler) {
  const RunFigures done = run(on(1), [](Stage& stage) {
    hog_job(stage);
    Machine& machine = stage.machine();
    machine.at(machine.now() + kSec, [&machine] { machine.detach(); });
  });
  EXPECT_EQ(done.exit.kind, Exit::kUnregistered);
  EXPECT_NE(done.exit.message, "");
  EXPECT_NEAR(done.seconds, 1, 0.001);
  EXPECT_NEAR(done.throughput, 1, 0.01);
}

TEST(Simulation, TellsHowFarItIsAndStopsWhenToldSo) {
  WorkloadOf workload([](Stage& stage) { hog_job(stage); });
  std::vector<double> told;
  ASSERT_TRUE(simulate(on(1), workload, nullptr, [&](double done) {
    told.push_back(done);
    return true;
  }));
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_GT(told.size(), 10U);
  EXPECT_EQ(told.back(), 1);
  WorkloadOf again([](Stage& stage) { hog_job(stage); });
  const auto stopped = simulate(on(1), again, nullptr, [](double done) { return done < 0.5; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ECANCELED);
}

TEST(Simulation, ParametersReachPolicyMachineAndAgent) {
  const auto hogs = [](Stage& stage) {
    for (int i = 0; i < 3; ++i) hog_job(stage);
  };
  const RunFigures usual = run(on(1), hogs);
  Simulation longer = on(1);
  ASSERT_TRUE(set_parameter(longer.parameters, "slice-us-min=20000"));
  EXPECT_LT(run(longer, hogs).decisions, usual.decisions / 2);
  Simulation slower = on(1);
  ASSERT_TRUE(set_parameter(slower.parameters, "agent-pass-ns=100000"));
  EXPECT_GT(run(slower, hogs).agent_share, 3 * usual.agent_share);
  Simulation ticking = on(1);
  ASSERT_TRUE(set_parameter(ticking.parameters, "tick-us=50000"));
  EXPECT_LT(run(ticking, hogs).decisions, usual.decisions / 2);
}

// Everything that a user can see of a run.
std::string all_of(std::uint64_t seed) {
  const std::string path = ::testing::TempDir() + "cppland_simulation_test.json";
  Simulation simulation = on(2);
  simulation.seed = seed;
  WorkloadOf workload([](Stage& stage) {
    for (int i = 0; i < 4; ++i) {
      stage.start({.name = "fickle",
                   .program = std::make_unique<ProgramOf>([&](Machine&, Progress& progress) {
                     ++progress.units;
                     const auto ns = stage.random().between(1, 3 * kMs);
                     return stage.random().one_in(2) ? Step{Step::Kind::kRun, ns}
                                                     : Step{Step::Kind::kSleep, ns};
                   })});
    }
    hog_job(stage);
  });
  auto file = OutputFile::create(path);
  TraceWriter trace(*file);
  const auto done = simulate(simulation, workload, &trace);
  EXPECT_TRUE(done && file->commit());
  const std::vector<RunFigures> runs{*done};
  return to_table(*done) + to_json(std::span(runs)).dump() +
         read_file(path, std::size_t{1} << 30U).value();
}

TEST(Simulation, IsTheSameToTheLastByteForOneSeed) {
  const std::string first = all_of(7);
  EXPECT_EQ(first, all_of(7));
  EXPECT_NE(first, all_of(8));
}

}  // namespace
}  // namespace cppland::sim
