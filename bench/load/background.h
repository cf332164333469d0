// SPDX-License-Identifier: GPL-2.0-only
// background.h - a command that runs again and again beside the measured tasks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>

namespace cppland::load {

struct BackgroundUsage {
  std::uint64_t runs = 0;    // of the command, ended with status 0
  std::uint64_t failed = 0;  // ended otherwise
  std::uint64_t jobs = 0;  // as counted by the command itself: bytes appended to $CPPLAND_LOAD_JOBS
  double cpu_seconds = 0;  // of the command and everything it started
};

// A supervisor process keeps one shell with the command running, in a process group of its own. It
// is a subreaper, so that whatever the command starts, in whatever session, stays below it; all of
// that is killed when this object or the thread that started it dies.
class Background {
 public:
  // Creates the supervisor, which waits for `release`. With an empty COMMAND there is none.
  // REQUIRES: the calling process has no other threads yet.
  static std::expected<Background, std::string> start(const std::string& command);
  Background(Background&& other) noexcept;
  Background& operator=(Background&& other) = delete;
  ~Background();

  void release();
  BackgroundUsage usage() const;

 private:
  struct Counters;
  struct Supervisor;

  Background() = default;

  Counters* counters_ = nullptr;  // written by the supervisor, read by us
  int jobs_file_ = -1;
  pid_t supervisor_ = -1;
};

}  // namespace cppland::load
