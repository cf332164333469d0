// SPDX-License-Identifier: GPL-2.0-only
// goodbye.h - what is left to do when a command line asks for nothing that could be run.
#pragma once

#include <cppland/scheduler.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "cli/exit_status.h"

namespace cppland::cli {

// Print this, and exit so: on stdout with status 0, on stderr with any other.
struct Goodbye {
  std::string text;
  int status = 0;
};

// To a command line that makes no sense.
inline Goodbye refuse(const SchedulerInfo& info, std::string_view what) {
  return {fmt::format("{}: {}\nTry '{} --help'.\n", info.name, what, info.name), kNonsense};
}

}  // namespace cppland::cli
