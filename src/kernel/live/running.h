// SPDX-License-Identifier: GPL-2.0-only
// running.h - a dispatcher of ours that another process has loaded, and how to take it over.
#pragma once

#include <abi/cppland_abi.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/mapping.h"
#include "base/result.h"
#include "base/unique_handle.h"
#include "kernel/live/bpf_objects.h"
#include "kernel/live/description.h"
#include "kernel/live/dispatcher.h"
#include "topology/topology.h"

namespace cppland::live {

// Found by its BPF objects: it takes CAP_SYS_ADMIN, and nothing of the process that loaded it,
// which may be stopped or stuck. As long as the object lives the kernel keeps the scheduler,
// whoever else ends.
class Running {
 public:
  // The one that schedules this machine; none, if that is the kernel's own or another's scheduler.
  [[nodiscard]] static Result<std::optional<Running>> find();

  // Fails if it is of another version, or makes no sense.
  [[nodiscard]] Result<Description> describe(const Topology& topology) const;

  // The process whose agents decide. REQUIRES: describe() succeeded.
  [[nodiscard]] pid_t owner() const noexcept;

  // As load(); with attach() the agents take over. @description: that of @running.
  [[nodiscard]] static Result<std::unique_ptr<Dispatcher>> take_over(
      Running running, const Description& description, const DispatcherOptions& options);

  // Lets go of it, and asks the processes that have it to end, with SIGTERM; returns when they
  // have. For any version.
  [[nodiscard]] static Result<void> end(Running running);

 private:
  Running(BpfLink link, Mapping shm, UniqueFd succeed) noexcept
      : link_(std::move(link)), shm_(std::move(shm)), succeed_(std::move(succeed)) {}

  BpfLink link_;
  Mapping shm_;       // all of it only if it is of our version
  UniqueFd succeed_;  // the program by which others take over, if there is one
};

}  // namespace cppland::live
