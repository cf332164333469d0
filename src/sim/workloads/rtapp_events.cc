// SPDX-License-Identifier: GPL-2.0-only
// rtapp_events.cc - see rtapp_events.h.
#include "sim/workloads/rtapp_events.h"

#include <algorithm>
#include <array>
#include <limits>

#include "sim/workloads/rtapp_keys.h"

namespace cppland::sim::rtapp {
namespace {

// What event a key stands for is told by its beginning; "runtime" must come before "run".
constexpr auto kEvents = std::to_array<std::string_view>(
    {"runtime", "run", "sleep", "timer", "lock", "unlock", "wait", "signal", "broad", "sync",
     "barrier", "suspend", "resume", "mem", "iorun", "yield", "fork", "sem_post", "sem_wait"});

// memset() writes about 10 bytes in a nanosecond; a write() to a device that takes everything is a
// system call; another device takes 200 MB in a second.
constexpr std::uint64_t kBytesPerNs = 10;
constexpr std::uint64_t kSystemCallNs = 1'000;
constexpr std::uint64_t kDeviceNsPerByte = 5;

std::string_view event_of(std::string_view key) {
  const auto* found =
      std::ranges::find_if(kEvents, [&](std::string_view event) { return key.starts_with(event); });
  return found == kEvents.end() ? std::string_view() : *found;
}

Result<const Member*> member_of(const Member& event, std::string_view key) {
  for (const Member& member : event.value.members) {
    if (member.key == key) return &member;
  }
  return wrong_key(event, "its object lacks \"{}\"", key);
}

Result<void> want_keys(const Member& event, std::initializer_list<std::string_view> keys) {
  CPPLAND_TRY(want_kind(event, Value::Kind::kObject));
  CPPLAND_TRY(want_no_doubles(event.value));
  for (const Member& member : event.value.members) {
    if (std::ranges::find(keys, member.key) == keys.end())
      return wrong_key(member, "\"{}\" has no such key", event.key);
  }
  return {};
}

Result<bool> is_absolute(const Member& mode) {
  CPPLAND_TRY(want_kind(mode, Value::Kind::kString));
  const std::string_view text = mode.value.text;
  if (text != "relative" && text != "absolute")
    return wrong_key(mode, R"(takes "relative" or "absolute", not "{}")", text);
  return text == "absolute";
}

}  // namespace

bool is_event(std::string_view key) { return !event_of(key).empty(); }

void EventReader::begin_task(const std::string& name, std::uint64_t instances) {
  task_ = name;
  instances_ = instances;
  own_timers_ = {};
}

void EventReader::note(std::string text) {
  if (std::ranges::find(plan_.notes, text) == plan_.notes.end())
    plan_.notes.push_back(std::move(text));
}

Result<void> EventReader::read(const Member& member, std::vector<Op>& ops,
                               std::vector<bool>& own_timers) {
  using Kind = Op::Kind;
  const std::string_view event = event_of(member.key);
  if (event == "run") {
    ops.push_back({.kind = Kind::kRun, .ns = CPPLAND_TRY(microseconds_of(member))});
  } else if (event == "runtime") {
    ops.push_back({.kind = Kind::kRuntime, .ns = CPPLAND_TRY(microseconds_of(member))});
  } else if (event == "sleep") {
    ops.push_back({.kind = Kind::kSleep, .ns = CPPLAND_TRY(microseconds_of(member))});
  } else if (event == "yield") {
    ops.push_back({.kind = Kind::kYield});
  } else if (event == "timer") {
    CPPLAND_TRY(read_timer(member, ops, own_timers));
  } else if (event == "wait" || event == "sync") {
    CPPLAND_TRY(read_wait(member, ops, event == "sync"));
  } else if (event == "barrier") {
    CPPLAND_TRY(read_barrier(member, ops));
  } else if (event == "mem" || event == "iorun") {
    CPPLAND_TRY(read_bytes(member, event == "iorun", ops));
  } else if (event == "fork") {
    CPPLAND_TRY(read_fork(member, ops));
  } else {
    CPPLAND_TRY(read_named(member, event, ops));
  }
  plan_.mutexes = mutexes_.size();
  plan_.conditions = conditions_.size();
  plan_.semaphores = semaphores_.size();
  return {};
}

// A timer whose name begins with "unique" is each thread's own.
Result<void> EventReader::read_timer(const Member& member, std::vector<Op>& ops,
                                     std::vector<bool>& own_timers) {
  CPPLAND_TRY(want_keys(member, {"ref", "period", "mode"}));
  std::string ref = "unknown";  // rt-app's name for one without
  bool absolute = false;
  for (const Member& key : member.value.members) {
    if (key.key == "ref") ref = CPPLAND_TRY(text_of(key));
    if (key.key == "mode") absolute = CPPLAND_TRY(is_absolute(key));
  }
  const bool own = ref.starts_with("unique");
  Op op{.kind = own ? Op::Kind::kOwnTimer : Op::Kind::kTimer};
  op.ns = CPPLAND_TRY(microseconds_of(*CPPLAND_TRY(member_of(member, "period"))));
  op.which = (own ? own_timers_ : timers_).of(ref);
  std::vector<bool>& timers = own ? own_timers : plan_.timers;
  timers.resize(std::max(timers.size(), op.which + 1));
  if (absolute) timers[op.which] = true;
  ops.push_back(op);
  return {};
}

Result<void> EventReader::read_wait(const Member& member, std::vector<Op>& ops, bool signal_first) {
  CPPLAND_TRY(want_keys(member, {"ref", "mutex"}));
  const std::string ref = CPPLAND_TRY(text_of(*CPPLAND_TRY(member_of(member, "ref"))));
  const std::string mutex = CPPLAND_TRY(text_of(*CPPLAND_TRY(member_of(member, "mutex"))));
  const std::size_t condition = conditions_.of(ref);
  const std::size_t lock = mutexes_.of(mutex);
  if (signal_first) ops.push_back({.kind = Op::Kind::kSignal, .which = condition});
  ops.push_back({.kind = Op::Kind::kWait, .which = condition, .mutex = lock});
  ops.push_back({.kind = Op::Kind::kLock, .which = lock});
  return {};
}

// Events that take a name and nothing else.
Result<void> EventReader::read_named(const Member& member, std::string_view event,
                                     std::vector<Op>& ops) {
  using Kind = Op::Kind;
  // workgen gives a "suspend" without a value the task's name.
  const bool nameless =
      event == "suspend" &&
      (member.value.kind == Value::Kind::kNone || member.value.kind == Value::Kind::kNull ||
       (member.value.kind == Value::Kind::kString && member.value.text.empty()));
  const std::string name = nameless ? task_ : CPPLAND_TRY(text_of(member));
  if (event == "lock") {
    ops.push_back({.kind = Kind::kLock, .which = mutexes_.of(name)});
  } else if (event == "unlock") {
    ops.push_back({.kind = Kind::kUnlock, .which = mutexes_.of(name)});
  } else if (event == "signal") {
    ops.push_back({.kind = Kind::kSignal, .which = conditions_.of(name)});
  } else if (event == "broad") {
    ops.push_back({.kind = Kind::kBroadcast, .which = conditions_.of(name)});
  } else if (event == "sem_post") {
    ops.push_back({.kind = Kind::kPost, .which = semaphores_.of(name)});
  } else if (event == "sem_wait") {
    ops.push_back({.kind = Kind::kTake, .which = semaphores_.of(name)});
  } else {
    const std::size_t condition = conditions_.of(name);
    const std::size_t lock = mutexes_.of(name);
    ops.push_back({.kind = Kind::kLock, .which = lock});
    if (event == "suspend") {
      ops.push_back({.kind = Kind::kWait, .which = condition, .mutex = lock});
      ops.push_back({.kind = Kind::kLock, .which = lock});
    } else {
      ops.push_back({.kind = Kind::kBroadcast, .which = condition});
    }
    ops.push_back({.kind = Kind::kUnlock, .which = lock});
  }
  return {};
}

Result<void> EventReader::read_barrier(const Member& member, std::vector<Op>& ops) {
  const std::size_t which = barriers_.of(CPPLAND_TRY(text_of(member)));
  plan_.barriers.resize(barriers_.size());
  plan_.barriers[which] += instances_;
  ops.push_back({.kind = Op::Kind::kBarrier, .which = which});
  return {};
}

// "mem": bytes that are written to memory. "iorun": bytes that are written to a device.
Result<void> EventReader::read_bytes(const Member& member, bool io, std::vector<Op>& ops) {
  const std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const auto bytes = static_cast<std::uint64_t>(CPPLAND_TRY(integer_of(member, 0, most)));
  if (!io) {
    ops.push_back({.kind = Op::Kind::kRun, .ns = bytes / kBytesPerNs});
    note("\"mem\" is work here: 1 us for 10,000 bytes");
  } else if (device_ == "/dev/null") {
    ops.push_back({.kind = Op::Kind::kRun, .ns = (bytes + buffer_ - 1) / buffer_ * kSystemCallNs});
    note("\"iorun\" to /dev/null is work here: 1 us for each write");
  } else {
    ops.push_back({.kind = Op::Kind::kSleep, .ns = bytes * kDeviceNsPerByte});
    note("\"iorun\" is a sleep here: 5 ns for each byte");
  }
  return {};
}

Result<void> EventReader::read_fork(const Member& member, std::vector<Op>& ops) {
  const std::string name = CPPLAND_TRY(text_of(member));
  const auto task = std::ranges::find(plan_.tasks, name, &TaskPlan::name);
  if (task == plan_.tasks.end()) return wrong_key(member, "there is no task \"{}\"", name);
  ops.push_back(
      {.kind = Op::Kind::kFork, .which = static_cast<std::size_t>(task - plan_.tasks.begin())});
  return {};
}

}  // namespace cppland::sim::rtapp
