// SPDX-License-Identifier: GPL-2.0-only
// report.h - a run's figures as a table and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "options.h"
#include "run.h"

namespace cppland::load {

// Times in microseconds. A class of tasks that was not asked for is left out.
nlohmann::ordered_json to_json(const Figures& figures, const Options& options);

std::string to_table(const Figures& figures, const Options& options);

}  // namespace cppland::load
