// SPDX-License-Identifier: GPL-2.0-only
// sim_progress.cc - how far a long simulation has come, on a terminal.
#include "cli/sim_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace cppland::cli {
namespace {

constexpr std::size_t kBar = 40;
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kPause{100};
constexpr std::string_view kClear = "\r\033[K";

}  // namespace

std::string progress_line(std::string_view what, double done) {
  const auto full = static_cast<std::size_t>(done * kBar);
  return fmt::format("[{:<{}}] {:3.0f} %  {}", std::string(full, '='), kBar, 100 * done, what);
}

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1), next_(Clock::now() + kPatience) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "{}", kClear);
}

void Progress::show(std::string_view what, double done) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kPause;
  shown_ = true;
  fmt::print(stderr, "{}{}", kClear, progress_line(what, done));
}

}  // namespace cppland::cli
