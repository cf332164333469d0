// SPDX-License-Identifier: GPL-2.0-only
// perf_line.h - one line of `perf script`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cppland::sim::perf {

// A thread, as a line tells of it. The text is the line's.
struct Who {
  std::string_view comm{};
  std::int32_t tid = 0;
  std::int32_t prio = -1;  // not said
};

struct Line {
  enum class Kind : std::uint8_t { kOther, kSwitch, kWakeup, kFork, kExit };
  Kind kind = Kind::kOther;
  std::uint64_t at = 0;   // ns
  std::int32_t cpu = -1;  // where it happened; not said
  Who who{};              // who stops running, is woken, forks or exits
  Who other{};            // who runs next, or is the child
  char state = 'R';       // of who stops running
};

// Nothing if it is not understood. kOther: an event that is none of the others.
[[nodiscard]] std::optional<Line> parse_line(std::string_view text);

// Of a line that is no event: whether it says that events got lost, as perf ("PERF_RECORD_LOST lost
// 3", "lost 3 chunks") and trace-cmd ("CPU:0 [3 EVENTS DROPPED]") do.
[[nodiscard]] bool tells_of_a_loss(std::string_view text);

}  // namespace cppland::sim::perf
