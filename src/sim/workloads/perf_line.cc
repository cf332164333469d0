// SPDX-License-Identifier: GPL-2.0-only
// perf_line.cc - see perf_line.h.
//
// A line begins with who was on the CPU, in one of several forms and with any characters in its
// name; what counts is in the event's own text behind the time. That has two forms: the kernel's
// ("prev_comm=a prev_pid=1 ...") and that of the libraries' plugins ("a:1 [120] S ==> b:2 [120]").
#include "sim/workloads/perf_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

#include "base/text.h"

namespace cppland::sim::perf {
namespace {

using Text = std::string_view;

template <typename T>
std::optional<T> number(Text text) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// The next word of @text, which loses it.
Text word(Text& text) {
  text = trim(text);
  const Text first = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(first.size());
  return first;
}

// "123.456789:", with up to nine digits of a second; in ns.
std::optional<std::uint64_t> time_of(Text text) {
  if (!text.ends_with(':')) return {};
  text.remove_suffix(1);
  const std::size_t dot = text.find('.');
  if (dot == Text::npos) return {};
  const Text fraction = text.substr(dot + 1);
  const auto seconds = number<std::uint32_t>(text.substr(0, dot));
  auto rest = number<std::uint32_t>(fraction);
  if (!seconds || !rest || fraction.size() > 9) return {};
  std::uint64_t ns = *rest;
  for (std::size_t digits = fraction.size(); digits < 9; ++digits) ns *= 10;
  return *seconds * std::uint64_t{1'000'000'000} + ns;
}

// "[003]"
std::optional<std::int32_t> cpu_of(Text text) {
  if (text.size() < 3 || !text.starts_with('[') || !text.ends_with(']')) return {};
  const auto cpu = number<std::int32_t>(text.substr(1, text.size() - 2));
  return cpu && *cpu >= 0 ? cpu : std::nullopt;
}

struct Event {
  std::uint64_t at = 0;
  std::int32_t cpu = -1;
  Text name;
  Text text;
};

// Finds the time and, behind it, the event's name; between the two, perf may write a number. The
// CPU stands before the time, and behind all of the name of who was on it.
std::optional<Event> event_of(Text line) {
  std::int32_t cpu = -1;
  for (Text rest = line; !rest.empty();) {
    const Text first = word(rest);
    cpu = cpu_of(first).value_or(cpu);
    const auto at = time_of(first);
    if (!at) continue;
    Text after = rest;
    Text name = word(after);
    if (number<std::uint64_t>(name)) name = word(after);
    if (name.size() < 2 || !name.ends_with(':')) continue;
    name.remove_suffix(1);
    if (name.starts_with("sched:")) name.remove_prefix(6);
    return Event{.at = *at, .cpu = cpu, .name = name, .text = trim(after)};
  }
  return {};
}

// What stands between @key and the next of the same form, " word=", or the end.
std::optional<Text> field(Text text, Text key) {
  const std::size_t at = text.rfind(key);
  if (at == Text::npos) return {};
  text.remove_prefix(at + key.size());
  return word(text);
}

// "comm=a pid=1 prio=120": the names have a prefix such as "prev_".
std::optional<Who> who_by_keys(Text text, Text comm, Text pid, Text prio) {
  if (!text.starts_with(comm)) return {};
  const std::size_t end = text.rfind(pid);
  const auto tid = field(text, pid);
  if (!tid || end < comm.size()) return {};
  Who who{.comm = text.substr(comm.size(), end - comm.size())};
  const auto id = number<std::int32_t>(*tid);
  if (!id || *id < 0) return {};
  who.tid = *id;
  if (const auto level = field(text, prio)) who.prio = number<std::int32_t>(*level).value_or(-1);
  return who;
}

// "a:1 [120]", and what follows.
std::optional<Who> who_by_place(Text text, Text& rest) {
  const std::size_t open = text.rfind(" [");
  if (open == Text::npos) return {};
  const std::size_t close = text.find(']', open);
  const std::size_t colon = text.rfind(':', open);
  if (close == Text::npos || colon == Text::npos) return {};
  const auto tid = number<std::int32_t>(text.substr(colon + 1, open - colon - 1));
  const auto prio = number<std::int32_t>(text.substr(open + 2, close - open - 2));
  if (!tid || *tid < 0 || !prio) return {};
  rest = text.substr(close + 1);
  return Who{.comm = text.substr(0, colon), .tid = *tid, .prio = *prio};
}

bool parse_switch(Text text, Line& line) {
  const std::size_t arrow = text.find(" ==> ");
  if (arrow == Text::npos) return false;
  const Text left = text.substr(0, arrow);
  const Text right = text.substr(arrow + 5);
  Text state;
  std::optional<Who> prev;
  std::optional<Who> next;
  if (left.starts_with("prev_comm=")) {
    prev = who_by_keys(left, "prev_comm=", " prev_pid=", " prev_prio=");
    next = who_by_keys(right, "next_comm=", " next_pid=", " next_prio=");
    state = field(left, " prev_state=").value_or("");
  } else {
    prev = who_by_place(left, state);
    Text nothing;
    next = who_by_place(right, nothing);
    state = trim(state);
  }
  if (!prev || !next || state.empty()) return false;
  line.who = *prev;
  line.other = *next;
  line.state = state.front();
  return true;
}

bool parse_wakeup(Text text, Line& line) {
  Text rest;
  const auto who = text.starts_with("comm=") ? who_by_keys(text, "comm=", " pid=", " prio=")
                                             : who_by_place(text, rest);
  if (who) line.who = *who;
  return who.has_value();
}

bool parse_fork(Text text, Line& line) {
  const std::size_t child = text.rfind(" child_comm=");
  if (child == Text::npos) return false;
  const auto parent = who_by_keys(text.substr(0, child), "comm=", " pid=", " prio=");
  const auto who =
      who_by_keys(text.substr(child + 1), "child_comm=", " child_pid=", " child_prio=");
  if (!parent || !who) return false;
  line.who = *parent;
  line.other = *who;
  return true;
}

}  // namespace

std::optional<Line> parse_line(std::string_view text) {
  const auto event = event_of(text);
  if (!event) return {};
  Line line{.at = event->at, .cpu = event->cpu};
  bool understood = true;
  if (event->name == "sched_switch") {
    line.kind = Line::Kind::kSwitch;
    understood = parse_switch(event->text, line);
  } else if (event->name == "sched_wakeup" || event->name == "sched_wakeup_new" ||
             event->name == "sched_waking") {
    line.kind = Line::Kind::kWakeup;
    understood = parse_wakeup(event->text, line);
  } else if (event->name == "sched_process_fork") {
    line.kind = Line::Kind::kFork;
    understood = parse_fork(event->text, line);
  } else if (event->name == "sched_process_exit") {
    line.kind = Line::Kind::kExit;
    understood = parse_wakeup(event->text, line);
  }
  if (!understood) return {};
  return line;
}

bool tells_of_a_loss(std::string_view text) {
  constexpr std::array<Text, 3> kSigns{"LOST", "lost ", "EVENTS DROPPED"};
  return std::ranges::any_of(kSigns,
                             [&](const Text sign) { return text.find(sign) != Text::npos; });
}

}  // namespace cppland::sim::perf
