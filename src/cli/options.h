// SPDX-License-Identifier: GPL-2.0-only
// options.h - the scheduler's command line.
#pragma once

#include <cppland/scheduler.h>

#include <cstdint>
#include <expected>
#include <string>

#include "cli/goodbye.h"
#include "kernel/live/dispatcher.h"

namespace cppland::cli {

struct Options {
  std::uint64_t slice_us = 20000;
  std::uint64_t slice_min_us = 1000;
  std::string policy;
  bool percpu_local = false;
  bool numa_local = false;
  bool partial = false;
  bool one_agent = false;
  bool no_sandbox = false;
  bool upgrade = false;
  bool force = false;
  bool verbose = false;
  std::uint32_t max_wait_ms = 500;
  std::uint32_t exit_dump_len = 0;
  std::uint32_t timeout_ms = 5000;
  live::LibbpfOptions libbpf{};
};

// Reads flags and the environment's SCX_TIMEOUT_MS. --help, --version and whatever makes no sense
// end in a Goodbye: status 0 for the first two, else 2 with one message.
[[nodiscard]] std::expected<Options, Goodbye> parse_options(const SchedulerInfo& info, int argc,
                                                            const char* const* argv);

// "scx_cppland version 0.1.0 x86_64_linux_gnu".
[[nodiscard]] std::string version_line(const SchedulerInfo& info);

}  // namespace cppland::cli
