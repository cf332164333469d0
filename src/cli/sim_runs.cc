// SPDX-License-Identifier: GPL-2.0-only
// sim_runs.cc - all the runs that a command line asks for.
#include "cli/sim_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>

#include "cli/sim_workers.h"
#include "sim/simulation.h"
#include "sim/workload.h"

namespace cppland::cli {
namespace {

constexpr std::uint64_t kUsualDuration = 10'000'000'000;

sim::Simulation simulation_of(const SimOptions& options, std::size_t number) {
  return {.policy = options.policies[number / options.seeds],
          .workload = options.workload,
          .topology = options.topology,
          .parameters = options.parameters,
          .seed = options.first_seed + number % options.seeds,
          .duration_ns = options.duration_ns.value_or(kUsualDuration)};
}

// noexcept: what the policy throws is for the terminate handler, wherever it throws it.
Result<sim::RunFigures> do_run(const SimOptions& options, std::size_t number,
                               sim::TraceWriter* trace, const sim::GoOn& go_on) noexcept {
  const auto workload = CPPLAND_TRY(options.source.load());
  return sim::simulate(simulation_of(options, number), *workload, trace, go_on);
}

std::string name_of(const SimOptions& options, std::size_t number) {
  const sim::Simulation simulation = simulation_of(options, number);
  return fmt::format("{}, seed {}", simulation.policy.name, simulation.seed);
}

}  // namespace

Result<std::vector<std::string>> prepare(SimOptions& options) {
  options.source = CPPLAND_TRY(sim::WorkloadSource::read(options.workload));
  const auto workload = CPPLAND_TRY(options.source.load());
  CPPLAND_TRY(context(workload->check(options.topology), "{}", options.workload));
  if (!options.duration_ns && workload->duration() > 0) {
    if (static_cast<double>(workload->duration()) > kLongestSeconds * 1e9)
      return error(EINVAL, "{} lasts {} s: say with --duration how much of it to run",
                   options.workload, workload->duration() / 1'000'000'000);
    options.duration_ns = workload->duration();
  }
  return workload->notes();
}

Result<std::vector<sim::RunFigures>> run_all(const SimOptions& options, sim::TraceWriter* trace,
                                             const Watch& watch) {
  const std::size_t n = options.policies.size() * options.seeds;
  if (n == 1) {
    const std::string name = name_of(options, 0);
    return std::vector{
        CPPLAND_TRY(do_run(options, 0, trace, [&](double done) { return watch(name, done); }))};
  }
  const std::size_t cpus = std::max(1U, std::thread::hardware_concurrency());
  return run_in_workers(
      n, std::min(n, cpus),
      [&](std::size_t number, const sim::GoOn& go_on) {
        return do_run(options, number, nullptr, go_on);
      },
      [&](std::size_t number, double done) { return watch(name_of(options, number), done); });
}

}  // namespace cppland::cli
