// SPDX-License-Identifier: GPL-2.0-only
// contest.cc - shares by weight, and decisions that are heard.
#include "sim/chaos/contest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernel/shared_rings.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kHeard = 40 * kMs;  // less than the heartbeat's period
constexpr std::uint64_t kTurn = 4 * kMs;    // between two ticks

}  // namespace

std::string Contest::look(std::uint64_t at) {
  if (plan_.contest_from_us == 0 || at < plan_.contest_from_us * 1'000) return {};
  const std::uint64_t decisions = counter(Machine::shm(), CPPLAND_NR_USER_DISPATCHES);
  if (!begun_) {
    for (Entrant& hog : hogs_) hog.had = hog.task->se.sum_exec_runtime;
  }
  if (!begun_ || decisions != decisions_) heard_at_ = at;
  begun_ = true;
  decisions_ = decisions;
  if (at - heard_at_ <= kHeard || hogs_.size() <= plan_.nr_cpus) return {};
  if (plan_.agent_stays_stopped()) return {};
  return fmt::format("nothing has been decided for {} ms", (at - heard_at_) / kMs);
}

// How far a share of @due may be off; nothing if nobody promises shares by weight.
std::optional<std::uint64_t> Contest::tolerance(std::uint64_t due) const {
  const std::uint64_t turns = due / 16 + 5 * kTurn;  // on several CPUs, with their ticks at once
  const std::string& policy = plan_.policy;
  const bool has_waker = std::ranges::any_of(
      plan_.tasks, [](const ChaosTask& task) { return task.kind == ChaosTaskKind::kWaker; });
  if (plan_.agent_stays_stopped()) return turns;  // the dispatcher alone
  if (policy == "deadline") return turns;
  if (policy == "edf") return turns + due / 16;  // it lets nobody fall far behind
  // On several CPUs, or if somebody wakes up all the time, it follows too loosely.
  if (policy == "eevdf" && plan_.nr_cpus == 1 && !has_waker) return turns;
  // Winning is as rare as the share: six times the standard deviation.
  if (policy == "lottery")
    return static_cast<std::uint64_t>(6 * std::sqrt(static_cast<double>(due * kTurn)));
  return {};
}

std::string Contest::look_back() const {
  if (!begun_) return {};
  std::uint64_t weights = 0;
  std::uint64_t all = 0;
  for (const Entrant& hog : hogs_) {
    weights += hog.task->scx.weight;
    all += hog.task->se.sum_exec_runtime - hog.had;
  }
  for (const Entrant& hog : hogs_) {
    const std::uint64_t got = hog.task->se.sum_exec_runtime - hog.had;
    const std::uint64_t due = all * hog.task->scx.weight / weights;
    const auto off = tolerance(due);
    if (off && (got + *off < due || got > due + *off))
      return fmt::format("{} got {} us, where {} us are its share by weight", hog.task->name,
                         got / 1'000, due / 1'000);
  }
  return {};
}

}  // namespace cppland::sim
