// SPDX-License-Identifier: GPL-2.0-only
// sim_progress.h - how far a long simulation has come, on a terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace cppland::cli {

// A line with a bar. 0 to 1 is @done.
[[nodiscard]] std::string progress_line(std::string_view what, double done);

// Shows it on stderr, if that is a terminal, once a second has passed. Takes it away at its end.
class Progress {
 public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void show(std::string_view what, double done);

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace cppland::cli
