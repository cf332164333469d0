// SPDX-License-Identifier: GPL-2.0-only
// report_comparison.h - several policies over several seeds, side by side.
#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/figures.h"
#include "stats/interval.h"

namespace cppland::sim {

// What one policy comes to in one figure.
struct Compared {
  std::string policy;
  Interval value;
  // From the first policy's, seed by seed: what a seed does to both falls out. None for the first
  // policy itself.
  std::optional<Interval> difference;

  // What rounding alone makes is none.
  [[nodiscard]] bool significant() const noexcept {
    constexpr double kRounding = 1e-9;
    return difference && difference->leaves_out_zero() &&
           std::abs(difference->mean) > kRounding * std::abs(value.mean);
  }
};

struct ComparedFigure {
  std::string group;       // the class of tasks; empty: of the whole run
  std::string_view key;    // as in JSON
  std::string_view label;  // for people
  int digits = 0;          // after the point
  std::vector<Compared> policies;

  // It is more than zeroes.
  [[nodiscard]] bool says_something() const noexcept;
};

struct Comparison {
  std::vector<std::string> policies;  // the first is what the others are compared with
  std::vector<std::uint64_t> seeds;
  std::vector<ComparedFigure> figures;
};

// A run without a class of tasks that others have counts nothing in its figures.
[[nodiscard]] Comparison compare(std::span<const RunFigures> runs);

[[nodiscard]] std::string to_table(const Comparison& comparison, const RunFigures& example);

[[nodiscard]] nlohmann::ordered_json to_json(const Comparison& comparison);

// The whole report: all runs, and their comparison.
[[nodiscard]] nlohmann::ordered_json to_json(std::span<const RunFigures> runs);

}  // namespace cppland::sim
