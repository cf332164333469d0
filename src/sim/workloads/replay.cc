// SPDX-License-Identifier: GPL-2.0-only
// replay.cc - see replay.h.
#include "sim/workloads/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sim/workloads/perf_trace.h"

namespace cppland::sim::perf {
namespace {

constexpr std::int32_t kFirstFairPrio = 100;
constexpr std::int32_t kNiceZeroPrio = 120;

// Real-time threads are as urgent as the model's can be.
int nice_of(const Thread& thread) {
  if (thread.prio < kFirstFairPrio) return -20;
  return std::clamp(thread.prio - kNiceZeroPrio, -20, 19);
}

class Replayed final : public Program {
 public:
  // @delay: before it begins.
  Replayed(const std::vector<Phase>& phases, std::uint64_t delay)
      : phases_(phases), delay_(delay) {}

  Step next(Machine& /*machine*/, Task& /*task*/) override {
    if (const std::uint64_t delay = std::exchange(delay_, 0); delay > 0)
      return {.kind = Step::Kind::kSleep, .ns = delay};
    if (std::exchange(ran_, !ran_)) {
      ++progress_.units;
      const Phase& phase = phases_[at_++];
      if (at_ < phases_.size()) return {.kind = Step::Kind::kSleep, .ns = phase.sleep};
      return {.kind = Step::Kind::kExit};
    }
    return {.kind = Step::Kind::kRun, .ns = std::max<std::uint64_t>(phases_[at_].run, 1)};
  }

 private:
  const std::vector<Phase>& phases_;
  std::size_t at_ = 0;
  std::uint64_t delay_;
  bool ran_ = false;
};

class Replay final : public Workload {
 public:
  explicit Replay(Trace trace) : trace_(std::move(trace)) {}

  void begin(Stage& stage) override {
    for (const Thread& thread : trace_.threads) {
      if (thread.forked) {
        stage.machine().at(stage.machine().now() + thread.start,
                           [&] { stage.start(job_of(thread, 0)); });
      } else {
        stage.start(job_of(thread, thread.start));
      }
    }
  }

  [[nodiscard]] std::uint64_t duration() const override { return trace_.length; }

  [[nodiscard]] std::vector<std::string> notes() const override {
    std::vector<std::string> notes;
    if (trace_.bad.count > 0)
      notes.push_back(
          fmt::format("{} of {} lines were not understood and left out; the first is "
                      "line {}",
                      trace_.bad.count, trace_.lines, trace_.bad.first));
    if (trace_.losses.count > 0)
      notes.push_back(
          fmt::format("{} lines tell of events that perf has lost, the first is line {}; record "
                      "with larger buffers (perf sched record -m 16M) to have them",
                      trace_.losses.count, trace_.losses.first));
    if (trace_.gaps.count > 0)
      notes.push_back(
          fmt::format("before {} of {} switches, others are missing, first before line {}; runs "
                      "without a beginning or an end are left out",
                      trace_.gaps.count, trace_.switches.count, trace_.gaps.first));
    if (trace_.wakeups.count == 0)
      notes.emplace_back(
          "no line tells of a wake-up (sched_wakeup), so threads sleep here until "
          "they ran again there");
    const auto urgent = std::ranges::count_if(
        trace_.threads, [](const Thread& thread) { return thread.prio < kFirstFairPrio; });
    if (urgent > 0)
      notes.push_back(fmt::format("{} real-time threads are tasks with nice -20 here", urgent));
    return notes;
  }

 private:
  static Job job_of(const Thread& thread, std::uint64_t delay) {
    return {.name = fmt::format("{}-{}", thread.comm, thread.tid),
            .group = std::string(group_of(thread.comm)),
            .nice = nice_of(thread),
            .program = std::make_unique<Replayed>(thread.phases, delay)};
  }

  Trace trace_;
};

}  // namespace

std::string_view group_of(std::string_view comm) {
  std::string_view group = comm.substr(0, comm.find_first_of("/:"));
  const std::size_t end = group.find_last_not_of("0123456789-_.# ");
  group = group.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return group.empty() ? comm : group;
}

Result<std::unique_ptr<Workload>> load(std::string_view text) {
  return std::make_unique<Replay>(CPPLAND_TRY(parse_trace(text)));
}

}  // namespace cppland::sim::perf
