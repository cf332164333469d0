// SPDX-License-Identifier: GPL-2.0-only
// report.h - a run's figures as text for people, and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "sim/figures.h"

namespace cppland::sim {

// A table of one run.
[[nodiscard]] std::string to_table(const RunFigures& run);

// What the kernel said when it ended the scheduler, for one line. REQUIRES: it did.
[[nodiscard]] std::string exit_line(const RunFigures& run);

// As docs/simulator.md describes it.
[[nodiscard]] nlohmann::ordered_json to_json(const RunFigures& run);
// And back, but for what JSON does not have. REQUIRES: @json is from to_json().
[[nodiscard]] RunFigures run_from_json(const nlohmann::ordered_json& json);

}  // namespace cppland::sim
