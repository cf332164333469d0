// SPDX-License-Identifier: GPL-2.0-only
// rtapp_plan.h - what an rt-app file asks for, checked, and with names made numbers.
//
// docs/workloads.md says which keys there are, and what each means here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_set.h"
#include "base/result.h"

namespace cppland::sim::rtapp {

// One thing that a thread does. Events that are several things in rt-app ("suspend" locks a mutex,
// waits and unlocks) are several here.
struct Op {
  enum class Kind : std::uint8_t {
    kRun,        // `ns` of work
    kRuntime,    // works until `ns` after its beginning
    kSleep,      // `ns`
    kTimer,      // sleeps until `which` has gone on by `ns`
    kOwnTimer,   // the same; `which` is the thread's own
    kLock,       // mutex `which`
    kUnlock,     // mutex `which`
    kWait,       // for condition `which`, giving up `mutex` meanwhile; kLock must follow
    kSignal,     // condition `which`
    kBroadcast,  // condition `which`
    kBarrier,    // `which`
    kPost,       // semaphore `which`
    kTake,       // semaphore `which`
    kYield,
    kFork,  // task `which`
  };
  Kind kind = Kind::kRun;
  std::uint64_t ns = 0;
  std::size_t which = 0;
  std::size_t mutex = 0;
};

inline constexpr std::uint64_t kForEver = UINT64_MAX;

struct Phase {
  std::uint64_t loops = 1;
  std::vector<Op> ops{};
  std::optional<int> nice{};   // set when the phase begins
  std::optional<bool> idle{};  // likewise: SCHED_IDLE
  CpuSet cpus{};               // none: the task's
};

// Nice 19 weighs as little as SCHED_IDLE does in sched_ext, whatever its nice value: 1 of 100.
inline constexpr int kIdleNice = 19;

struct TaskPlan {
  std::string name{};
  unsigned line = 1;
  std::uint64_t instances = 1;
  std::uint64_t delay = 0;
  std::uint64_t loops = kForEver;
  int nice = 0;
  bool idle = false;               // SCHED_IDLE
  CpuSet cpus{};                   // none: all
  std::vector<Phase> phases{};     // at least one, each with at least one op
  std::vector<bool> own_timers{};  // whether each is absolute
};

struct Plan {
  std::vector<TaskPlan> tasks;
  std::size_t mutexes = 0;
  std::size_t conditions = 0;
  std::size_t semaphores = 0;
  std::vector<bool> timers;             // whether each is absolute
  std::vector<std::uint64_t> barriers;  // how many threads meet there
  std::uint64_t duration = 0;           // 0: not said
  std::vector<std::string> notes;       // what means less here than under rt-app
};

// Reads a file's text. EINVAL names line and key.
[[nodiscard]] Result<Plan> parse_plan(std::string_view text);

}  // namespace cppland::sim::rtapp
