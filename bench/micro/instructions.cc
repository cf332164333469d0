// SPDX-License-Identifier: GPL-2.0-only
// instructions.cc - how many instructions this thread has executed, where the machine counts them.
#include "bench/micro/instructions.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cppland::bench {

Instructions::Instructions() noexcept {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  fd_ = UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::optional<std::uint64_t> Instructions::count() const noexcept {
  std::uint64_t value = 0;
  if (!fd_ || ::read(fd_.get(), &value, sizeof(value)) != sizeof(value)) return {};
  return value;
}

}  // namespace cppland::bench
