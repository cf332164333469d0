// SPDX-License-Identifier: GPL-2.0-only
// event.h - something that happens once, for whoever polls.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland {

// Any thread may raise it. Before make() it is none, and raising it does nothing.
class Event {
 public:
  [[nodiscard]] static Result<Event> make() {
    Event event;
    event.fd_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event.fd_) return error(errno, "making an eventfd");
    return event;
  }

  // From then on fd() is readable.
  void raise() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof(one));
  }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace cppland
