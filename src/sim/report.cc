// SPDX-License-Identifier: GPL-2.0-only
// report.cc - a run's figures as a table.
#include "sim/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace cppland::sim {
namespace {

std::string_view kind_name(int kind) {
  switch (kind) {
    case Exit::kUnregistered:
      return "unregistered";
    case Exit::kError:
      return "error";
    case Exit::kStall:
      return "stall";
    default:
      return "other";
  }
}

void put_class(std::string& out, std::size_t width, const ClassFigures& figures) {
  const std::string missed =
      figures.periods == 0 ? "-" : fmt::format("{}/{}", figures.missed, figures.periods);
  const auto latency = [&](double us) {
    return figures.wakeups == 0 ? std::string("-") : fmt::format("{:.1f}", us);
  };
  fmt::format_to(std::back_inserter(out),
                 "{:<{}}  {:>6}  {:>9}  {:>9}  {:>9}  {:>10}  {:>14}  {:>9.3f}  {:>9}\n",
                 figures.name, width, figures.tasks, figures.wakeups, latency(figures.p50_us),
                 latency(figures.p99_us), latency(figures.max_us), missed, figures.cpu_seconds,
                 figures.units);
}

std::string fairness_line(const Fairness& fairness) {
  if (fairness.tasks == 0) return "no task wanted a CPU all the time";
  return fmt::format(
      "{:.4f} equal, {:.4f} by weight (Jain's index of the CPU time of {} {} that wanted a CPU all "
      "the time: {})",
      fairness.jain, fairness.weighted, fairness.tasks, fairness.tasks == 1 ? "task" : "tasks",
      fmt::join(fairness.classes, ", "));
}

}  // namespace

std::string exit_line(const RunFigures& run) {
  return fmt::format("the kernel ended the policy {} after {:.3f} s (seed {}): {} ({}): {}",
                     run.policy, run.seconds, run.seed, kind_name(run.exit.kind), run.exit.kind,
                     run.exit.message);
}

std::string to_table(const RunFigures& run) {
  std::size_t width = 5;
  for (const ClassFigures& figures : run.classes) width = std::max(width, figures.name.size());
  std::string out =
      fmt::format("{} under {}: {} CPU{}, seed {}, {:g} s\n\n", run.workload, run.policy, run.cpus,
                  run.cpus == 1 ? "" : "s", run.seed, run.seconds);
  const auto line = std::back_inserter(out);
  fmt::format_to(line, "{:<{}}  {:>6}  {:>9}  {:>9}  {:>9}  {:>10}  {:>14}  {:>9}  {:>9}\n",
                 "class", width, "tasks", "wake-ups", "p50 (us)", "p99 (us)", "max (us)",
                 "missed/periods", "CPU (s)", "units");
  for (const ClassFigures& figures : run.classes) put_class(out, width, figures);
  if (run.classes.size() > 1) put_class(out, width, run.all);
  fmt::format_to(line, "\nfairness     {}\n", fairness_line(run.fairness));
  fmt::format_to(line, "throughput   {:.2f} % of the CPUs' time, and the agent {:.2f} %\n",
                 100 * run.throughput, 100 * run.agent_share);
  fmt::format_to(line, "migrations   {}\n", run.migrations);
  fmt::format_to(line, "decisions    {} by the policy, {} by the dispatcher; {} events, {} {}\n",
                 run.decisions, run.kernel_dispatches, run.events, run.failovers,
                 run.failovers == 1 ? "failover" : "failovers");
  return out;
}

}  // namespace cppland::sim
