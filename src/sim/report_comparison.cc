// SPDX-License-Identifier: GPL-2.0-only
// report_comparison.cc - several policies over several seeds, side by side.
#include "sim/report_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/report.h"

namespace cppland::sim {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
struct Figure {
  std::string_view key;
  std::string_view label;
  int digits;
  double (*of)(const T& figures);
};

constexpr std::array kClassFigures{
    Figure<ClassFigures>{"p50_us", "wake-up p50 (us)", 1, [](const auto& c) { return c.p50_us; }},
    Figure<ClassFigures>{"p99_us", "wake-up p99 (us)", 1, [](const auto& c) { return c.p99_us; }},
    Figure<ClassFigures>{"max_us", "wake-up max (us)", 1, [](const auto& c) { return c.max_us; }},
    Figure<ClassFigures>{"wakeups", "wake-ups", 0,
                         [](const auto& c) { return static_cast<double>(c.wakeups); }},
    Figure<ClassFigures>{"missed", "missed deadlines", 1,
                         [](const auto& c) { return static_cast<double>(c.missed); }},
    Figure<ClassFigures>{"periods", "deadlines", 0,
                         [](const auto& c) { return static_cast<double>(c.periods); }},
    Figure<ClassFigures>{"cpu_seconds", "CPU time (s)", 3,
                         [](const auto& c) { return c.cpu_seconds; }},
    Figure<ClassFigures>{"units", "units of work", 0,
                         [](const auto& c) { return static_cast<double>(c.units); }},
};

constexpr std::array kRunFigures{
    Figure<RunFigures>{"jain", "fairness", 4, [](const RunFigures& r) { return r.fairness.jain; }},
    Figure<RunFigures>{"weighted", "fairness by weight", 4,
                       [](const RunFigures& r) { return r.fairness.weighted; }},
    Figure<RunFigures>{"throughput", "throughput", 4,
                       [](const RunFigures& r) { return r.throughput; }},
    Figure<RunFigures>{"agent_share", "the agent's share", 4,
                       [](const RunFigures& r) { return r.agent_share; }},
    Figure<RunFigures>{"migrations", "migrations", 0,
                       [](const RunFigures& r) { return static_cast<double>(r.migrations); }},
    Figure<RunFigures>{"decisions", "the policy's decisions", 0,
                       [](const RunFigures& r) { return static_cast<double>(r.decisions); }},
    Figure<RunFigures>{
        "kernel_dispatches", "the dispatcher's", 0,
        [](const RunFigures& r) { return static_cast<double>(r.kernel_dispatches); }},
    Figure<RunFigures>{"events", "events", 0,
                       [](const RunFigures& r) { return static_cast<double>(r.events); }},
    Figure<RunFigures>{"failovers", "failovers", 1,
                       [](const RunFigures& r) { return static_cast<double>(r.failovers); }},
};

template <typename T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

const ClassFigures* find_class(const RunFigures& run, std::string_view name) {
  const auto found = std::ranges::find(run.classes, name, &ClassFigures::name);
  return found == run.classes.end() ? nullptr : &*found;
}

// One policy's values, in the order of the seeds; none where there is no such run or class.
using Values = std::vector<std::optional<double>>;

Interval interval_of(const Values& values) {
  std::vector<double> samples;
  for (const auto& value : values) {
    if (value) samples.push_back(*value);
  }
  return mean_interval(samples);
}

Interval difference_of(const Values& values, const Values& first) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::optional<double>& mine = values[i];
    const std::optional<double>& theirs = first[i];
    if (mine && theirs) samples.push_back(*mine - *theirs);
  }
  return mean_interval(samples);
}

class Comparer {
 public:
  explicit Comparer(std::span<const RunFigures> runs) : runs_(runs) {
    for (const RunFigures& run : runs) {
      add_once(comparison_.policies, run.policy);
      add_once(comparison_.seeds, run.seed);
      for (const ClassFigures& figures : run.classes) add_once(classes_, figures.name);
    }
  }

  Comparison compare() {
    for (const std::string& name : classes_) {
      for (const auto& figure : kClassFigures)
        add(name, figure, [&](const RunFigures& run) -> std::optional<double> {
          const ClassFigures* figures = find_class(run, name);
          return figures ? std::optional(figure.of(*figures)) : std::nullopt;
        });
    }
    for (const auto& figure : kRunFigures)
      add("", figure, [&](const RunFigures& run) { return std::optional(figure.of(run)); });
    return std::move(comparison_);
  }

 private:
  void add(const std::string& group, const auto& figure, const auto& value_in) {
    ComparedFigure compared{group, figure.key, figure.label, figure.digits, {}};
    Values first;
    for (const std::string& policy : comparison_.policies) {
      Values values(comparison_.seeds.size());
      for (const RunFigures& run : runs_) {
        if (run.policy == policy) values[index_of(run.seed)] = value_in(run);
      }
      Compared of_policy{policy, interval_of(values), {}};
      if (compared.policies.empty()) {
        first = values;
      } else {
        of_policy.difference = difference_of(values, first);
      }
      compared.policies.push_back(std::move(of_policy));
    }
    comparison_.figures.push_back(std::move(compared));
  }

  [[nodiscard]] std::size_t index_of(std::uint64_t seed) const {
    return static_cast<std::size_t>(
        std::distance(comparison_.seeds.begin(), std::ranges::find(comparison_.seeds, seed)));
  }

  std::span<const RunFigures> runs_;
  std::vector<std::string> classes_;
  Comparison comparison_;
};

// --- text ---

constexpr std::size_t kLabelWidth = 26;

std::string cell(const Compared& compared, int digits) {
  std::string text = fmt::format("{:.{}f}", compared.value.mean, digits);
  if (compared.value.half_width)
    text += fmt::format(" ± {:.{}f}", *compared.value.half_width, digits);
  return text + (compared.significant() ? " *" : "  ");
}

std::size_t column_width(const Comparison& comparison) {
  std::size_t width = 0;
  for (const std::string& policy : comparison.policies) width = std::max(width, policy.size() + 2);
  for (const ComparedFigure& figure : comparison.figures) {
    for (const Compared& compared : figure.policies)
      width = std::max(width, cell(compared, figure.digits).size());
  }
  return width;
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  return seeds.size() == 1 ? fmt::format("seed {}", seeds.front())
                           : fmt::format("seeds {} to {}", seeds.front(), seeds.back());
}

bool has_chance(const Comparison& comparison) {
  return std::ranges::any_of(comparison.figures, [](const ComparedFigure& figure) {
    return std::ranges::any_of(figure.policies, [](const Compared& compared) {
      return compared.value.half_width.value_or(0) > 0;
    });
  });
}

std::string legend(const Comparison& comparison) {
  if (comparison.seeds.size() < 2)
    return "\nOne seed says nothing of chance: with more of them (--seeds) there are intervals.\n";
  std::string text =
      fmt::format("\nMean ± half of the {:.0f} % confidence interval.\n", 100 * kConfidence);
  if (comparison.policies.size() > 1)
    text += fmt::format(
        "*: differs from {}: the {:.0f} % confidence interval of the differences, seed by seed, "
        "leaves out 0.\n",
        comparison.policies.front(), 100 * kConfidence);
  if (!has_chance(comparison)) text += "Chance has no part in this workload: all seeds are one.\n";
  return text;
}

// --- JSON ---

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json compared_json(const Compared& compared) {
  Json json{{"mean", compared.value.mean}, {"half_width", number(compared.value.half_width)}};
  if (!compared.difference) return json;
  json["difference"] = compared.difference->mean;
  json["difference_half_width"] = number(compared.difference->half_width);
  json["significant"] = compared.significant();
  return json;
}

}  // namespace

bool ComparedFigure::says_something() const noexcept {
  return std::ranges::any_of(policies,
                             [](const Compared& compared) { return compared.value.mean != 0; });
}

Comparison compare(std::span<const RunFigures> runs) { return Comparer(runs).compare(); }

std::string to_table(const Comparison& comparison, const RunFigures& example) {
  const std::size_t width = column_width(comparison);
  std::string out = fmt::format("{}: {} CPU{}, {}, {:g} s each\n\n{:<{}}", example.workload,
                                example.cpus, example.cpus == 1 ? "" : "s",
                                seeds_text(comparison.seeds), example.seconds, "", kLabelWidth);
  const auto add = std::back_inserter(out);
  for (const std::string& policy : comparison.policies)
    fmt::format_to(add, "  {:>{}}", policy + "  ", width);
  out += '\n';
  const std::string* group = nullptr;
  for (const ComparedFigure& figure : comparison.figures) {
    if (!figure.says_something()) continue;
    if (!group || *group != figure.group)
      fmt::format_to(add, "{}\n", figure.group.empty() ? "the whole run" : figure.group);
    group = &figure.group;
    fmt::format_to(add, "  {:<{}}", figure.label, kLabelWidth - 2);
    for (const Compared& compared : figure.policies)
      fmt::format_to(add, "  {:>{}}", cell(compared, figure.digits), width);
    out += '\n';
  }
  return out + legend(comparison);
}

Json to_json(const Comparison& comparison) {
  Json figures = Json::array();
  for (const ComparedFigure& figure : comparison.figures) {
    Json policies = Json::object();
    for (const Compared& compared : figure.policies)
      policies[compared.policy] = compared_json(compared);
    figures.push_back({{"class", figure.group.empty() ? Json() : Json(figure.group)},
                       {"figure", figure.key},
                       {"policies", std::move(policies)}});
  }
  return {{"baseline", comparison.policies.front()},
          {"seeds", comparison.seeds},
          {"confidence", kConfidence},
          {"figures", std::move(figures)}};
}

Json to_json(std::span<const RunFigures> runs) {
  Json all = Json::array();
  for (const RunFigures& run : runs) all.push_back(to_json(run));
  return {{"version", 1}, {"runs", std::move(all)}, {"comparison", to_json(compare(runs))}};
}

}  // namespace cppland::sim
