// SPDX-License-Identifier: GPL-2.0-only
// options.h - the command line of cppland-load.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace cppland::load {

struct Options {
  unsigned frames = 0;
  double frame_hz = 60;
  double frame_work_us = 2000;
  unsigned audio = 0;
  double audio_period_us = 5000;
  double audio_work_us = 300;
  unsigned pairs = 0;
  double pair_think_us = 2000;
  double pair_work_us = 100;
  std::vector<int> hog_nices;  // one entry per hog
  std::string background;
  double seconds = 10;
  double warmup = 1;
  std::uint64_t seed = 1;
  double loops_per_us = 0;  // 0: calibrate
  std::string json;
  bool weights = false;
  bool hog_pauses = false;
  bool calibrate = false;
};

// Why the program should end instead of measuring: help was asked for, or the arguments make no
// sense.
struct EarlyExit {
  int status;
  std::string message;
};

// CPUS is the number of CPUs that --hogs-per-cpu counts.
std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv, unsigned cpus);

}  // namespace cppland::load
