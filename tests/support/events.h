// SPDX-License-Identifier: GPL-2.0-only
// events.h - events as the dispatcher writes them, for tests.
#pragma once

#include <abi/cppland_abi.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace cppland::testing {

// What a task says of itself unless a test says otherwise: weight 100, any of 8 CPUs, generation 1
// of its first incarnation.
struct EventOf {
  std::int32_t tid = 1;
  std::uint64_t generation = 1;
  std::uint64_t used_ns = 0;
  std::uint64_t exec_runtime_ns = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t preempt_ns = 0;
  std::uint64_t at_ns = 0;
  std::uint32_t weight = 100;
  std::int32_t cpu = 0;
  std::uint32_t flags = 0;
  std::string_view comm = "task";

  [[nodiscard]] cppland_event of_type(std::uint32_t type) const {
    cppland_event event{};
    event.generation = generation;
    event.type = type;
    event.tid = tid;
    event.tgid = tid;
    event.cpu = cpu;
    event.nr_cpus_allowed = 8;
    event.weight = weight;
    event.flags = flags;
    event.at_ns = at_ns;
    event.used_ns = used_ns;
    event.exec_runtime_ns = exec_runtime_ns;
    event.total_ns = total_ns;
    event.preempt_ns = preempt_ns;
    std::copy_n(comm.begin(), std::min(comm.size(), sizeof(event.comm)), event.comm);
    return event;
  }
};

[[nodiscard]] inline cppland_event ready(const EventOf& event) {
  return event.of_type(CPPLAND_EVENT_READY);
}
[[nodiscard]] inline cppland_event ran(const EventOf& event) {
  return event.of_type(CPPLAND_EVENT_RAN);
}
[[nodiscard]] inline cppland_event gone(const EventOf& event) {
  return event.of_type(CPPLAND_EVENT_GONE);
}

// The generation of wait @wait of a thread that is the @incarnation-th to have its tid.
[[nodiscard]] constexpr std::uint64_t generation(std::uint32_t incarnation, std::uint32_t wait) {
  return std::uint64_t{incarnation} << 32U | wait;
}

}  // namespace cppland::testing
