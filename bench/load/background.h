// SPDX-License-Identifier: GPL-2.0-only
// background.h - a command that runs again and again beside the measured tasks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/mapping.h"
#include "base/result.h"
#include "base/unique_handle.h"

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
  static Result<Background> start(const std::string& command);

  void release();
  [[nodiscard]] BackgroundUsage usage() const;

 private:
  struct Counters;
  struct Supervisor;
  struct Ended {  // closing the handle of a supervisor ends it, and waits for that
    using Handle = pid_t;
    static pid_t invalid() noexcept { return -1; }
    static void close(pid_t pid) noexcept;
  };

  Background() = default;

  [[nodiscard]] Counters& counters() const;

  Mapping counters_;  // written by the supervisor, read by us
  UniqueFd jobs_file_;
  UniqueHandle<Ended> supervisor_;
};

}  // namespace cppland::load
