// SPDX-License-Identifier: GPL-2.0-only
// sim_stop.h - how a simulation ends before its time, also if the policy does not let it.
#pragma once

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

namespace cppland::cli {

// While it lives, SIGINT, SIGTERM and SIGHUP (what of it is not ignored) wait to be asked for. But
// if one is not within a second, or another comes, a policy may be in an endless loop: the process
// ends at once, with status 128 + the first signal and without unfinished files. So it does if who
// reads its output is gone (SIGPIPE). One at a time.
class StopRequests {
 public:
  StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;
  ~StopRequests();

  // The first that has come; 0 if none has.
  [[nodiscard]] int signal() const noexcept;

 private:
  struct Before {
    int signal;
    struct sigaction action;
  };
  std::vector<Before> before_;
};

// To be called in a terminate handler, which is where a policy's exceptions end up: the decision
// path is noexcept. What has been thrown, as a message; aborts if nothing has.
[[nodiscard]] std::string what_was_thrown();

// While it lives, an exception that nobody takes ends the process with a message of @program,
// status 1, and without unfinished files. One at a time. REQUIRES: @program outlives it.
class ThrowIsAMessage {
 public:
  explicit ThrowIsAMessage(std::string_view program);
  ThrowIsAMessage(const ThrowIsAMessage&) = delete;
  ThrowIsAMessage& operator=(const ThrowIsAMessage&) = delete;
  ~ThrowIsAMessage();

 private:
  void (*before_)();
};

}  // namespace cppland::cli
