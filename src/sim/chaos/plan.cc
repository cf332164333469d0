// SPDX-License-Identifier: GPL-2.0-only
// plan.cc - draws the plan of a chaotic run, and writes and reads it.
#include "sim/chaos/plan.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/cpu_set.h"
#include "base/random.h"

namespace cppland::sim {

// NOLINTBEGIN(*-avoid-c-arrays, *-array-to-pointer-decay, *-bounds-*): the library's macros
NLOHMANN_JSON_SERIALIZE_ENUM(ChaosShape, {{ChaosShape::kFlat, "flat"},
                                          {ChaosShape::kSmt, "smt"},
                                          {ChaosShape::kLlcs, "llcs"},
                                          {ChaosShape::kNodes, "nodes"},
                                          {ChaosShape::kHybrid, "hybrid"}})
NLOHMANN_JSON_SERIALIZE_ENUM(ChaosTaskKind, {{ChaosTaskKind::kHog, "hog"},
                                             {ChaosTaskKind::kFickle, "fickle"},
                                             {ChaosTaskKind::kMortal, "mortal"},
                                             {ChaosTaskKind::kPerCpuThread, "per-cpu-thread"},
                                             {ChaosTaskKind::kSleeper, "sleeper"},
                                             {ChaosTaskKind::kWaker, "waker"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Disturbance, {{Disturbance::kAffinity, "affinity"},
                                           {Disturbance::kNice, "nice"},
                                           {Disturbance::kWake, "wake"},
                                           {Disturbance::kOffline, "offline"},
                                           {Disturbance::kOnline, "online"},
                                           {Disturbance::kSteal, "steal"},
                                           {Disturbance::kLeaveClass, "leave-class"},
                                           {Disturbance::kJoinClass, "join-class"},
                                           {Disturbance::kUpgrade, "upgrade"},
                                           {Disturbance::kStall, "stall"},
                                           {Disturbance::kStopAgent, "stop-agent"},
                                           {Disturbance::kContinueAgent, "continue-agent"},
                                           {Disturbance::kKillAgent, "kill-agent"},
                                           {Disturbance::kHostile, "hostile"},
                                           {Disturbance::kHonest, "honest"},
                                           {Disturbance::kDelayEvents, "delay-events"},
                                           {Disturbance::kDelayNone, "delay-none"},
                                           {Disturbance::kFullRing, "full-ring"},
                                           {Disturbance::kFreeRing, "free-ring"},
                                           {Disturbance::kStale, "stale"},
                                           {Disturbance::kFresh, "fresh"},
                                           {Disturbance::kForgetful, "forgetful"},
                                           {Disturbance::kMindful, "mindful"},
                                           {Disturbance::kMisplace, "misplace"},
                                           {Disturbance::kPlace, "place"}})
// NOLINTEND(*-avoid-c-arrays, *-array-to-pointer-decay, *-bounds-*)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ChaosTask, kind, nice, cpus, start_us, seed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ChaosStep, at_us, what, task, value, cpus)
// Plans that were kept know nothing of what came later.
// NOLINTBEGIN(misc-const-correctness): the library's macro
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ChaosPlan, seed, policy, shape, nr_cpus, strict,
                                                percpu_local, numa_local, duration_us,
                                                interleave_percent, timeout_us, named_percent,
                                                contest_from_us, several_agents, tasks, steps)
// NOLINTEND(misc-const-correctness)

namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestUs = 60'000'000;

std::string some_cpus(Random& random, unsigned nr_cpus) {
  CpuSet set;
  set.set(static_cast<unsigned>(random.below(nr_cpus)));
  if (random.one_in(2)) set.set(static_cast<unsigned>(random.below(nr_cpus)));
  return set.to_string();
}

ChaosTask draw_task(Random& random, unsigned nr_cpus, std::uint64_t duration_us) {
  ChaosTask task;
  const std::uint64_t kind = random.below(16);
  if (kind < 4) task.kind = ChaosTaskKind::kHog;
  if (kind >= 4) task.kind = ChaosTaskKind::kFickle;
  if (kind >= 10) task.kind = ChaosTaskKind::kMortal;
  if (kind == 15) task.kind = ChaosTaskKind::kPerCpuThread;
  task.nice = random.one_in(2) ? 0 : static_cast<int>(random.below(20)) - 10;
  if (random.one_in(3)) task.cpus = some_cpus(random, nr_cpus);
  if (task.kind == ChaosTaskKind::kPerCpuThread) task.cpus = std::to_string(random.below(nr_cpus));
  if (random.one_in(3)) task.start_us = random.below(duration_us);
  task.seed = random.below(1'000'000);
  return task;
}

void add_step(ChaosPlan& plan, ChaosStep step) {
  const auto after = std::ranges::upper_bound(plan.steps, step.at_us, {}, &ChaosStep::at_us);
  plan.steps.insert(after, std::move(step));
}

// Things that are done to tasks and CPUs.
void draw_world_step(Random& random, ChaosPlan& plan, std::uint64_t at_us) {
  constexpr std::array kKinds = {Disturbance::kAffinity,   Disturbance::kNice,
                                 Disturbance::kWake,       Disturbance::kSteal,
                                 Disturbance::kLeaveClass, Disturbance::kOffline};
  ChaosStep step{.at_us = at_us,
                 .what = kKinds.at(random.below(kKinds.size())),
                 .task = random.below(1'000),
                 .value = random.below(1'000'000)};
  if (step.what == Disturbance::kNice) step.value = random.below(40);
  if (step.what == Disturbance::kAffinity) step.cpus = some_cpus(random, plan.nr_cpus);
  const std::uint64_t later = at_us + random.below(random.one_in(4) ? 300'000 : 30'000);
  if (step.what == Disturbance::kOffline) {
    if (plan.nr_cpus == 1) return;
    step.value = random.below(plan.nr_cpus);
    add_step(plan, {.at_us = later, .what = Disturbance::kOnline, .value = step.value});
  }
  if (step.what == Disturbance::kLeaveClass)
    add_step(plan, {.at_us = later, .what = Disturbance::kJoinClass, .task = step.task});
  add_step(plan, step);
}

enum class Recovery : std::uint8_t { kSoon, kWhenever };

// Things that are wrong with the agent, and that it recovers from.
void draw_agent_step(Random& random, ChaosPlan& plan, std::uint64_t at_us, Recovery recovery) {
  using enum Disturbance;
  constexpr std::array<std::pair<Disturbance, Disturbance>, 8> kKinds = {
      {{kStall, kStall},
       {kStale, kFresh},
       {kForgetful, kMindful},
       {kMisplace, kPlace},
       {kStopAgent, kContinueAgent},
       {kHostile, kHonest},
       {kDelayEvents, kDelayNone},
       {kFullRing, kFreeRing}}};  // of which it takes long to recover
  const bool soon = recovery == Recovery::kSoon;
  const auto [begin, end] = kKinds.at(random.below(kKinds.size() - (soon ? 1 : 0)));
  const std::uint64_t longest_us = soon ? 8'000 : 60'000;
  add_step(plan, {.at_us = at_us, .what = begin, .value = random.below(longest_us)});
  // What was asked before is asked anew.
  if (begin == kStale)
    add_step(plan, {.at_us = at_us, .what = kStall, .value = random.below(longest_us)});
  if (end == begin) return;
  add_step(plan, {.at_us = at_us + random.below(longest_us), .what = end});
}

// Anything goes, and goes wrong.
void draw_chaos(Random& random, ChaosPlan& plan) {
  plan.duration_us = 400'000;
  const std::uint64_t tasks = 2 + random.below(28);
  for (std::uint64_t i = 0; i < tasks; ++i)
    plan.tasks.push_back(draw_task(random, plan.nr_cpus, plan.duration_us));
  const bool sound = random.one_in(2);
  const std::uint64_t steps = random.below(100);
  for (std::uint64_t i = 0; i < steps; ++i) {
    const std::uint64_t at_us = random.below(plan.duration_us);
    if (!sound && random.one_in(3)) {
      draw_agent_step(random, plan, at_us, Recovery::kWhenever);
    } else {
      draw_world_step(random, plan, at_us);
    }
  }
  if (!sound && random.one_in(10))
    add_step(plan, {.at_us = random.below(plan.duration_us), .what = Disturbance::kKillAgent});
  if (random.one_in(2)) plan.interleave_percent = static_cast<unsigned>(1 + random.below(30));
  if (random.one_in(4)) plan.named_percent = static_cast<unsigned>(1 + random.below(100));
}

// Hogs of different weights on few CPUs, and an agent that is sound, or has recovered, or is gone.
void draw_contest(Random& random, ChaosPlan& plan) {
  constexpr std::array kNice = {-5, 0, 0, 5};
  plan.shape = ChaosShape::kFlat;
  plan.percpu_local = false;  // on one CPU nothing would be left to the agent
  plan.nr_cpus = static_cast<unsigned>(1 + random.below(2));
  plan.duration_us = 1'300'000;
  plan.contest_from_us = 700'000;
  plan.timeout_us = 250'000;
  // For each CPU as many of each weight: nobody is heavier than a CPU is worth.
  const std::uint64_t hogs = 2 + random.below(3);
  for (std::uint64_t i = 0; i < hogs; ++i) {
    const int nice = kNice.at(random.below(kNice.size()));
    plan.tasks.insert(plan.tasks.end(), plan.nr_cpus, {.nice = nice});
  }
  if (random.one_in(2))
    plan.tasks.insert(plan.tasks.end(), plan.nr_cpus, {.kind = ChaosTaskKind::kSleeper});
  if (random.one_in(2)) plan.tasks.push_back({.kind = ChaosTaskKind::kWaker});
  const std::uint64_t kind = random.below(3);
  if (kind == 1) add_step(plan, {.at_us = 10'000, .what = Disturbance::kStopAgent});
  if (kind == 2)
    for (int i = 0; i < 4; ++i)
      draw_agent_step(random, plan, random.below(60'000), Recovery::kSoon);
}

// Many wait, and the agent, which takes no rests in which they would run and begin to wait anew,
// forgets some, or is late and repeats what it said before that.
void draw_queue(Random& random, ChaosPlan& plan) {
  plan.shape = ChaosShape::kFlat;
  plan.nr_cpus = static_cast<unsigned>(1 + random.below(2));
  plan.strict = true;
  plan.percpu_local = false;
  plan.duration_us = 500'000;
  const std::uint64_t tasks = 4 + random.below(8);
  for (std::uint64_t i = 0; i < tasks; ++i) {
    const auto kind = random.one_in(4) ? ChaosTaskKind::kFickle : ChaosTaskKind::kHog;
    plan.tasks.push_back({.kind = kind, .seed = random.below(1'000'000)});
  }
  const bool forgets = random.one_in(2);
  add_step(plan, {.what = forgets ? Disturbance::kForgetful : Disturbance::kStale});
  if (forgets) return;
  for (int i = 0; i < 8; ++i)
    add_step(plan, {.at_us = random.below(plan.duration_us),
                    .what = Disturbance::kStall,
                    .value = 6'000 + random.below(14'000)});
}

// Little to do, for longer than the kernel lets a task wait.
void draw_quiet(Random& random, ChaosPlan& plan) {
  plan.duration_us = 1'000'000;
  plan.timeout_us = 250'000;
  const std::uint64_t tasks = random.below(4);
  for (std::uint64_t i = 0; i < tasks; ++i)
    plan.tasks.push_back(draw_task(random, plan.nr_cpus, plan.duration_us));
}

// Others take over, some of which come to nothing.
void draw_upgrades(Random& random, ChaosPlan& plan) {
  plan.timeout_us = 250'000;
  const std::uint64_t upgrades = 1 + random.below(6);
  for (std::uint64_t i = 0; i < upgrades; ++i)
    add_step(plan, {.at_us = random.below(plan.duration_us),
                    .what = Disturbance::kUpgrade,
                    .value = random.below(1'000)});
}

}  // namespace

bool ChaosPlan::agent_is_sound() const {
  return std::ranges::none_of(
      steps, [](const ChaosStep& step) { return step.what >= Disturbance::kStall; });
}

bool ChaosPlan::has_one_policy() const {
  return std::ranges::none_of(
      steps, [](const ChaosStep& step) { return step.what == Disturbance::kUpgrade; });
}

bool ChaosPlan::agent_stays_stopped() const {
  bool stopped = false;
  for (const ChaosStep& step : steps) {
    if (step.what == Disturbance::kStopAgent) stopped = true;
    if (step.what == Disturbance::kContinueAgent) stopped = false;
  }
  return stopped;
}

ChaosPlan draw_plan(std::uint64_t seed, const std::vector<std::string>& policies) {
  Random random(seed);
  ChaosPlan plan{.seed = seed,
                 .policy = policies[random.below(policies.size())],
                 .shape = static_cast<ChaosShape>(random.below(5)),
                 .nr_cpus = static_cast<unsigned>(1 + random.below(6)),
                 .strict = random.one_in(2),
                 .percpu_local = random.one_in(4),
                 .numa_local = random.one_in(4)};
  if (plan.shape != ChaosShape::kFlat) plan.nr_cpus = 2 * ((plan.nr_cpus + 1) / 2);
  const std::uint64_t kind = random.below(8);
  if (kind < 2) {
    draw_contest(random, plan);
  } else if (kind == 2) {
    draw_quiet(random, plan);
  } else if (kind == 3) {
    draw_queue(random, plan);
  } else {
    draw_chaos(random, plan);
  }
  const bool llcs = plan.shape == ChaosShape::kLlcs || plan.shape == ChaosShape::kNodes;
  plan.several_agents = llcs && seed % 2 == 1;
  if (plan.contest_from_us == 0 && seed % 4 >= 2) draw_upgrades(random, plan);
  return plan;
}

std::string name_of(Disturbance what) { return json(what).get<std::string>(); }

std::string to_json(const ChaosPlan& plan) { return json(plan).dump(1) + "\n"; }

Result<ChaosPlan> plan_from_json(const std::string& text) {
  try {
    bool has_fractions = false;  // which the library would make integers of, if they fit or not
    const json given = json::parse(text, [&](int, json::parse_event_t, const json& value) {
      has_fractions |= value.is_number_float();
      return true;
    });
    if (has_fractions) return error(EINVAL, "no plan of a chaotic run: all numbers are integers");
    ChaosPlan plan = given.get<ChaosPlan>();
    // What the library does not know it passes over, or takes for something else.
    const json understood = plan;
    for (const auto& [key, value] : given.items()) {
      if (!understood.contains(key) || understood.at(key) != value)
        return error(EINVAL, "no plan of a chaotic run: \"{}\" makes no sense", key);
    }
    if (plan.duration_us > kLongestUs || plan.interleave_percent > 100 || plan.named_percent > 100)
      return error(EINVAL, "no plan of a chaotic run: longer than {} s, or over 100 percent",
                   kLongestUs / 1'000'000);
    if (plan.nr_cpus == 0 || plan.nr_cpus > CpuSet::kCapacity)
      return error(EINVAL, "nr_cpus is {}, but must be from 1 to {}", plan.nr_cpus,
                   CpuSet::kCapacity);
    for (const ChaosTask& task : plan.tasks) {
      CPPLAND_TRY(CpuSet::parse(task.cpus));
      if (task.nice < -20 || task.nice > 19)
        return error(EINVAL, "no plan of a chaotic run: nice {}", task.nice);
    }
    for (const ChaosStep& step : plan.steps) CPPLAND_TRY(CpuSet::parse(step.cpus));
    return plan;
  } catch (const json::exception& wrong) {
    return error(EINVAL, "no plan of a chaotic run: {}", wrong.what());
  }
}

}  // namespace cppland::sim
