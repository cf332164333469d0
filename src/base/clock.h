// SPDX-License-Identifier: GPL-2.0-only
// clock.h - the one clock: CLOCK_MONOTONIC in nanoseconds, the same as bpf_ktime_get_ns().
#pragma once

#include <ctime>

#include <cstdint>

namespace cppland {

// Nanoseconds, as a point in time since boot or as a span. A plain number, since that is what the
// ABI and the policies' arithmetic use.
using Nanos = std::uint64_t;

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

// Any thread; some tens of nanoseconds, no system call on usual machines.
[[nodiscard]] inline Nanos monotonic_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Nanos>(now.tv_sec) * kSecond + static_cast<Nanos>(now.tv_nsec);
}

}  // namespace cppland
