// SPDX-License-Identifier: GPL-2.0-only
// told.cc - holds events against each other, and against who is dead.
#include "sim/chaos/told.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace cppland::sim {

std::string Told::listen(const Machine& machine, bool exact) {
  std::vector<cppland_event> heard;
  const auto channels = static_cast<std::uint32_t>(2 * machine.domains().size());
  for (std::uint32_t i = 0; i < channels; ++i) {
    const cppland_channel& channel = Machine::channel(i / 2, i % 2);
    std::uint64_t& read = read_[&channel];
    for (; read != channel.dispatcher.event_head; ++read) {
      const cppland_event& event = channel.event[read % CPPLAND_EVENT_SLOTS];
      if (event.seq != read + 1) break;  // its CPU is about to fill it
      heard.push_back(event);
    }
  }
  // Of one task, those to one agent are in order, and those to several are by the time it used; an
  // agent that need not remember it hears so after another one has heard of it.
  std::ranges::sort(heard, {}, [](const cppland_event& event) {
    return std::tuple(event.total_ns, event.type == CPPLAND_EVENT_GONE, event.generation);
  });
  for (const cppland_event& event : heard)
    if (auto wrong = hear(event, exact); !wrong.empty()) return wrong;
  return {};
}

std::string Told::hear(const cppland_event& event, bool exact) {
  Of& of = tasks_[event.tid];
  if (event.type == CPPLAND_EVENT_GONE) {
    of.gone |= of.domain == event.domain;  // for others it has gone elsewhere
  } else {
    of.domain = event.domain;
    of.gone = false;
  }
  const std::uint64_t before = std::exchange(of.total_ns, event.total_ns);
  if (!exact || agents_.contains(event.tid)) return {};
  if (event.total_ns != before + event.used_ns)
    return fmt::format("the agent hears that {} used {} us, of {} us after {} us", event.tid,
                       event.used_ns / 1'000, event.total_ns / 1'000, before / 1'000);
  const bool woke = (event.flags & CPPLAND_TASK_WOKE) != 0;
  if (!woke && event.exec_runtime_ns < event.used_ns)
    return fmt::format("the agent hears that {}, which has not slept, ran for {} us after {} us",
                       event.tid, event.exec_runtime_ns / 1'000, event.used_ns / 1'000);
  return {};
}

bool Told::misses(const Task& task, std::uint64_t now) {
  constexpr std::uint64_t kSoon = 1'000'000;
  const auto known = tasks_.find(task.pid);
  if (known == tasks_.end() || known->second.gone) return false;
  Of& of = known->second;
  if (of.dead_since == 0) of.dead_since = now;
  return now - of.dead_since > kSoon;
}

}  // namespace cppland::sim
