// SPDX-License-Identifier: GPL-2.0-only
// report.cc - see report.h.
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/clock.h"
#include "shares.h"

namespace cppland::load {
namespace {

using Json = nlohmann::ordered_json;

double microseconds(double nanoseconds) { return nanoseconds / kMicrosecond; }
double microseconds(std::uint64_t nanoseconds) {
  return microseconds(static_cast<double>(nanoseconds));
}

Json to_json(const Histogram& histogram) {
  Json cells = Json::array();
  for (const auto& [value, count] : histogram.cells()) {
    cells.push_back({microseconds(value), count});
  }
  return {
      {"count", histogram.count()},
      {"min_us", microseconds(histogram.min())},
      {"mean_us", microseconds(histogram.mean())},
      {"p50_us", microseconds(histogram.quantile(0.5))},
      {"p90_us", microseconds(histogram.quantile(0.9))},
      {"p99_us", microseconds(histogram.quantile(0.99))},
      {"p999_us", microseconds(histogram.quantile(0.999))},
      {"max_us", microseconds(histogram.max())},
      {"cells", std::move(cells)},
  };
}

Json to_json(const PeriodicResult& result, unsigned tasks) {
  return {
      {"tasks", tasks},
      {"periods", result.periods},
      {"missed", result.missed()},
      {"late", result.late},
      {"skipped", result.skipped},
      {"wakeup", to_json(result.wakeup)},
      {"completion", to_json(result.completion)},
  };
}

// What each hog got, and should have got.
struct HogShare {
  double share = 0;
  double expected = 0;
};

std::vector<HogShare> shares_of(const Figures& figures) {
  std::vector<int> nices;
  nices.reserve(figures.hogs.size());
  double cpu_seconds = 0;
  for (const HogFigures& hog : figures.hogs) {
    nices.push_back(hog.nice);
    cpu_seconds += hog.cpu_seconds;
  }
  const std::vector<double> expected = expected_shares(nices, figures.cpus);
  std::vector<HogShare> shares;
  shares.reserve(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    shares.push_back(
        {cpu_seconds > 0 ? figures.hogs[i].cpu_seconds / cpu_seconds : 0, expected[i]});
  }
  return shares;
}

HogFigures sum_of(const std::vector<HogFigures>& hogs) {
  HogFigures sum;
  for (const HogFigures& hog : hogs) {
    sum.cpu_seconds += hog.cpu_seconds;
    sum.units += hog.units;
    sum.longest_unit = std::max(sum.longest_unit, hog.longest_unit);
  }
  return sum;
}

Json hogs_to_json(const Figures& figures, const Options& options) {
  const HogFigures sum = sum_of(figures.hogs);
  const auto shares = shares_of(figures);
  Json each = Json::array();
  for (std::size_t i = 0; i < figures.hogs.size(); ++i) {
    const HogFigures& hog = figures.hogs[i];
    each.push_back({{"nice", hog.nice},
                    {"weight", weight_of_nice(hog.nice)},
                    {"cpu_seconds", hog.cpu_seconds},
                    {"units", hog.units},
                    {"share", shares[i].share},
                    {"expected_share", shares[i].expected}});
  }
  Json json = {{"cpu_seconds", sum.cpu_seconds}, {"units", sum.units}, {"each", std::move(each)}};
  if (options.hog_pauses) {
    json["longest_unit_us"] = microseconds(sum.longest_unit);
  }
  return json;
}

void add_latencies(std::string& table, const char* name, unsigned tasks, const char* what,
                   const Histogram& latencies, const std::string& missed) {
  fmt::format_to(std::back_inserter(table),
                 "{:<8}{:>6}  {:<11}{:>9}{:>12.1f}{:>12.1f}{:>12.1f}  {}\n", name, tasks, what,
                 latencies.count(), microseconds(latencies.quantile(0.5)),
                 microseconds(latencies.quantile(0.99)), microseconds(latencies.max()), missed);
}

void add_periodic(std::string& table, const char* name, unsigned tasks,
                  const PeriodicResult& result) {
  if (tasks > 0) {
    add_latencies(table, name, tasks, "wake-up", result.wakeup,
                  fmt::format("{} of {}", result.missed(), result.periods));
  }
}

}  // namespace

Json to_json(const Figures& figures, const Options& options) {
  Json json = {
      {"cpus", figures.cpus},       {"scheduler", figures.scheduler},
      {"seconds", figures.seconds}, {"warmup", options.warmup},
      {"seed", options.seed},       {"loops_per_us", figures.loops_per_us},
      {"signal", figures.signal},
  };
  if (options.frames > 0) {
    json["frame"] = to_json(figures.frame, options.frames);
  }
  if (options.audio > 0) {
    json["audio"] = to_json(figures.audio, options.audio);
  }
  if (options.pairs > 0) {
    json["pair"] = {{"tasks", options.pairs},
                    {"wakeup", to_json(figures.pair.wakeup)},
                    {"round_trip", to_json(figures.pair.round_trip)}};
  }
  if (!options.hog_nices.empty()) {
    json["hogs"] = hogs_to_json(figures, options);
  }
  if (!options.background.empty()) {
    json["with"] = {{"command", options.background},
                    {"runs", figures.background.runs},
                    {"failed", figures.background.failed},
                    {"jobs", figures.background.jobs},
                    {"cpu_seconds", figures.background.cpu_seconds}};
  }
  return json;
}

std::string to_table(const Figures& figures, const Options& options) {
  std::string table = fmt::format(
      "{:.2f} s after {:g} s of warm-up, {} CPU{}, {:.1f} loops per us, scheduler: {}\n",
      figures.seconds, options.warmup, figures.cpus, figures.cpus == 1 ? "" : "s",
      figures.loops_per_us, figures.scheduler.empty() ? "the kernel's own" : figures.scheduler);
  if (options.frames + options.audio + options.pairs > 0) {
    table += "class    tasks  latency (us)   count         p50         p99         max  missed\n";
  }
  add_periodic(table, "frame", options.frames, figures.frame);
  add_periodic(table, "audio", options.audio, figures.audio);
  if (options.pairs > 0) {
    add_latencies(table, "pair", options.pairs, "wake-up", figures.pair.wakeup, "-");
    add_latencies(table, "pair", options.pairs, "round trip", figures.pair.round_trip, "-");
  }
  const auto out = std::back_inserter(table);
  if (!figures.hogs.empty()) {
    const HogFigures sum = sum_of(figures.hogs);
    fmt::format_to(out, "{} hogs: {} units of work in {:.2f} s of CPU time\n", figures.hogs.size(),
                   sum.units, sum.cpu_seconds);
    if (options.hog_pauses) {
      fmt::format_to(out, "longest unit: {:.1f} ms\n", microseconds(sum.longest_unit) / 1000);
    }
  }
  if (options.weights) {
    const auto shares = shares_of(figures);
    for (std::size_t i = 0; i < figures.hogs.size(); ++i) {
      const HogFigures& hog = figures.hogs[i];
      fmt::format_to(
          out, "  nice {:>3}: {:>6.2f} % of the hogs' CPU time, {:.2f} % due; {} units, {:.3f} s\n",
          hog.nice, 100 * shares[i].share, 100 * shares[i].expected, hog.units, hog.cpu_seconds);
    }
  }
  if (!options.background.empty()) {
    fmt::format_to(out, "background: {} runs, {} jobs in {:.2f} s of CPU time\n",
                   figures.background.runs, figures.background.jobs,
                   figures.background.cpu_seconds);
  }
  return table;
}

}  // namespace cppland::load
