// SPDX-License-Identifier: GPL-2.0-only
// plan.h - what happens in one chaotic run, as data: drawn from a seed, kept in a file, made
// smaller.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace cppland::sim {

enum class ChaosShape : std::uint8_t { kFlat, kSmt, kLlcs, kNodes, kHybrid };

enum class ChaosTaskKind : std::uint8_t {
  kHog,
  kFickle,  // runs, sleeps, yields, waits to be woken, wakes others
  kMortal,  // the same, and exits
  kPerCpuThread,
  kSleeper,  // sleeps for long, and is a hog after
  kWaker,    // preempts others again and again, for a moment
};

struct ChaosTask {
  ChaosTaskKind kind = ChaosTaskKind::kHog;
  int nice = 0;
  std::string cpus{};  // a list, as CpuSet::parse() takes it; empty: all
  std::uint64_t start_us = 0;
  std::uint64_t seed = 0;  // of what it does
};

enum class Disturbance : std::uint8_t {
  kAffinity,    // of a task, to `cpus`
  kNice,        // of a task, to `value` - 20
  kWake,        // a task
  kOffline,     // the CPU `value`
  kOnline,      // the CPU `value`
  kSteal,       // the CPU `value` of all of them, for 1 to 5 ms
  kLeaveClass,  // a task
  kJoinClass,   // a task
  kUpgrade,  // another process's agents take over, with policy `value`; every eighth never answers
  kStall,    // the agent computes for `value` us at its next pass
  kStopAgent,  // at its next pass, until
  kContinueAgent,
  kKillAgent,  // at its next pass
  kHostile,    // the agent also sends decisions that are stale or nonsense, until
  kHonest,
  kDelayEvents,  // the agent reads only some of what has arrived, until
  kDelayNone,
  kFullRing,  // there is no room for events, until
  kFreeRing,
  kStale,  // the agent also repeats decisions for waits that are over, until
  kFresh,
  kForgetful,  // now and then a decision is not sent, until
  kMindful,
  kMisplace,  // decisions name any CPU, allowed or not, there or not, or are for long, until
  kPlace,
};

struct ChaosStep {
  std::uint64_t at_us = 0;
  Disturbance what = Disturbance::kWake;
  std::uint64_t task = 0;  // its index, of those that there are
  std::uint64_t value = 0;
  std::string cpus{};
};

struct ChaosPlan {
  std::uint64_t seed = 0;
  std::string policy{};
  ChaosShape shape = ChaosShape::kFlat;
  unsigned nr_cpus = 1;
  bool several_agents = false;  // one for each last-level cache; all do the same things wrong
  bool strict = false;
  bool percpu_local = false;
  bool numa_local = false;
  std::uint64_t duration_us = 0;
  unsigned interleave_percent = 0;  // see MachineOptions
  std::uint64_t timeout_us = 5'000'000;
  unsigned named_percent = 0;  // of the decisions, that name a CPU that the task may use
  // From then on hogs that are there from the beginning get shares by weight, and whoever decides
  // is heard; 0: never. By then the agent has recovered, or is stopped for good.
  std::uint64_t contest_from_us = 0;
  std::vector<ChaosTask> tasks{};
  std::vector<ChaosStep> steps{};  // in order of time

  // The agent is told nothing wrong, and does all that it should in time.
  [[nodiscard]] bool agent_is_sound() const;
  // Nobody takes over from it.
  [[nodiscard]] bool has_one_policy() const;
  // It is stopped, and not continued.
  [[nodiscard]] bool agent_stays_stopped() const;
};

// The plan of a seed: the same everywhere. @policies: the names to choose from.
[[nodiscard]] ChaosPlan draw_plan(std::uint64_t seed, const std::vector<std::string>& policies);

[[nodiscard]] std::string name_of(Disturbance what);
[[nodiscard]] std::string to_json(const ChaosPlan& plan);
[[nodiscard]] Result<ChaosPlan> plan_from_json(const std::string& text);

}  // namespace cppland::sim
