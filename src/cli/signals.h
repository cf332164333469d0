// SPDX-License-Identifier: GPL-2.0-only
// signals.h - SIGINT, SIGTERM and SIGHUP as something to wait for.
#pragma once

#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland::cli {

// From its construction on these signals are delivered here and nowhere else, in this thread and
// all that it starts; one object serves any number of restarts of the scheduler.
class StopSignals {
 public:
  [[nodiscard]] static Result<StopSignals> block();

  // Readable once one has arrived.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  // The signal that has arrived, taken; 0 if none has.
  [[nodiscard]] int take() const noexcept;

 private:
  explicit StopSignals(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace cppland::cli
