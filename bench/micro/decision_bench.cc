// SPDX-License-Identifier: GPL-2.0-only
// decision_bench.cc - what one decision costs, event in and decision out: time, instructions, and
// allocations, of which there must be none.
#include <abi/cppland_abi.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "agent/agent.h"
#include "bench/micro/instructions.h"
#include "kernel/shared_rings.h"
#include "policies/deadline.h"
#include "policies/edf.h"
#include "policies/eevdf.h"
#include "policies/fifo.h"
#include "policies/lottery.h"
#include "policies/mlfq.h"
#include "policies/table.h"
#include "tests/support/allocations.h"

namespace cppland::bench {
namespace {

constexpr std::uint32_t kCpus = 4;
constexpr std::uint64_t kTurnNs = 300'000;  // between two events

bool all_is_well = true;

// The events of so many tasks, which wake up, use some CPU time and sleep.
class Tasks {
 public:
  explicit Tasks(std::int64_t count) : count_(static_cast<std::uint32_t>(count)) {
    event_.type = CPPLAND_EVENT_READY;
    event_.nr_cpus_allowed = kCpus;
    event_.flags = CPPLAND_TASK_WOKE;
    std::ranges::copy(std::string_view("task"), event_.comm);
  }

  // That the task with this tid waits. The reference holds until the next call.
  const cppland_event& ready(std::int32_t tid) noexcept {
    now_ns_ += kTurnNs;
    ++event_.generation;  // the high half, the incarnation, is the same for all
    event_.tid = event_.tgid = tid;
    event_.weight = 50U + static_cast<std::uint32_t>(tid) % 100U;
    event_.at_ns = now_ns_;
    event_.used_ns = event_.exec_runtime_ns =
        100'000 + static_cast<std::uint64_t>(tid) * 7919 % 400'000;
    event_.total_ns += event_.used_ns;
    return event_;
  }

  // One after the other, so that neighbours in time are none in memory.
  const cppland_event& next() noexcept {
    last_ = (last_ + 7919) % count_;
    return ready(static_cast<std::int32_t>(last_ + 1));
  }

  [[nodiscard]] std::uint64_t now_ns() const noexcept { return now_ns_; }

 private:
  std::uint32_t count_;
  std::uint32_t last_ = 0;
  std::uint64_t now_ns_ = 1'000'000'000;
  cppland_event event_{};
};

// The agent's end of the rings, and the dispatcher's, which has one event at a time.
class Rings final : public Kernel {
 public:
  [[nodiscard]] bool attached() const noexcept override { return true; }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now_ns_; }
  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return 1; }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return kCpus; }
  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    return rings_.read_events(out);
  }
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override {
    return rings_.write_decisions(decisions);
  }
  void park(std::uint32_t nr_scheduled) noexcept override { rings_.finish_pass(nr_scheduled); }

  void send(const cppland_event& event, std::uint64_t now_ns) noexcept {
    now_ns_ = now_ns;
    cppland_event& slot = channel_->event[sent_ % CPPLAND_EVENT_SLOTS];
    slot = event;
    slot.seq = ++sent_;
  }

  // Whether there is one decision, and it is about this task. Takes out what there is.
  bool decided(std::int32_t tid) noexcept {
    const std::uint64_t n = channel_->agent.decision_head - channel_->dispatcher.decision_tail;
    const bool right =
        n == 1 &&
        channel_->decision[channel_->dispatcher.decision_tail % CPPLAND_DECISION_SLOTS].tid == tid;
    channel_->dispatcher.decision_tail = channel_->agent.decision_head;
    return right;
  }

 private:
  std::unique_ptr<cppland_channel> channel_ = std::make_unique<cppland_channel>();
  SharedRings rings_{*channel_};
  std::uint64_t now_ns_ = 0;
  std::uint64_t sent_ = 0;
};

// Times @decide, which returns false if what came out was no decision.
template <typename Decide>
void measure(benchmark::State& state, Decide decide) {
  std::uint64_t wrong = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) wrong += !decide();  // everybody is known

  const Instructions instructions;
  const auto instructions_before = instructions.count();
  const std::uint64_t allocations_before = testing::allocations();
  for ([[maybe_unused]] auto _ : state) wrong += !decide();
  const std::uint64_t allocated = testing::allocations() - allocations_before;
  const auto instructions_after = instructions.count();

  const auto per_op = [](std::uint64_t n) {
    return benchmark::Counter(static_cast<double>(n), benchmark::Counter::kAvgIterations);
  };
  state.counters["allocs/op"] = per_op(allocated);
  if (instructions_before && instructions_after)
    state.counters["instructions/op"] = per_op(*instructions_after - *instructions_before);
  else
    state.SetLabel("instructions/op: n/a");
  if (allocated != 0 || wrong != 0) {
    all_is_well = false;
    state.SkipWithError(
        fmt::format("{} allocations, {} events without their decision", allocated, wrong).c_str());
  }
}

// The whole way through the rings: of so many tasks one after the other wakes up, and a pass of the
// agent decides for it. Everything is as the scheduler makes it; so the policy can remember 16384
// tasks, and of 20000 forgets one with each event.
void agent_decides(benchmark::State& state, const PolicyEntry& entry) {
  const auto policy = entry.make({.nr_cpus = kCpus});
  Tasks tasks(state.range(0));
  Rings rings;
  Agent agent(rings, *policy);
  measure(state, [&] {
    const cppland_event& event = tasks.next();
    rings.send(event, tasks.now_ns());
    agent.pass();
    return rings.decided(event.tid);
  });
}

// The policy alone: so many tasks wait all the time. It takes in that the task it chose last waits
// again, and chooses the next.
template <typename P>
void policy_decides(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  PolicyHost<P> policy(PolicyConfig{.nr_cpus = kCpus, .task_capacity = count});
  Tasks tasks(count);
  std::array<cppland_decision, 1> out{};
  const auto moment = [&] {
    return Moment{.now_ns = tasks.now_ns(), .waiting = count, .nr_cpus = kCpus};
  };
  const auto tell = [&](const cppland_event& event) { policy.take({&event, 1}, moment(), out); };
  for (std::uint32_t i = 1; i < count; ++i) tell(tasks.ready(static_cast<std::int32_t>(i)));
  auto chosen = static_cast<std::int32_t>(count);
  measure(state, [&] {
    tell(tasks.ready(chosen));
    const std::size_t n = policy.decide(moment(), out);
    chosen = out[0].tid;
    return n == 1;
  });
}

void add(const std::string& name, void (*run)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Arg(20)->Arg(1'000)->Arg(20'000);
}

void add_all() {
  for (const PolicyEntry& entry : policies::all())
    benchmark::RegisterBenchmark(fmt::format("agent/{}", entry.name).c_str(),
                                 [&entry](benchmark::State& state) { agent_decides(state, entry); })
        ->Arg(20)
        ->Arg(1'000)
        ->Arg(20'000);
  add("policy/deadline", policy_decides<policies::Deadline>);
  add("policy/eevdf", policy_decides<policies::Eevdf>);
  add("policy/edf", policy_decides<policies::Edf>);
  add("policy/mlfq", policy_decides<policies::Mlfq>);
  add("policy/lottery", policy_decides<policies::Lottery>);
  add("policy/fifo", policy_decides<policies::Fifo>);
}

// Were allocations not counted, there would be none.
bool counts_allocations() {
  const std::uint64_t before = testing::allocations();
  auto number = std::make_unique<int>(1);
  benchmark::DoNotOptimize(number.get());
  return testing::allocations() == before + 1;
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  if (!counts_allocations()) {
    std::fputs("decision_bench: allocations are not counted here\n", stderr);
    return 1;
  }
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  if (all_is_well) return 0;
  std::fputs("decision_bench: a decision allocates, or is none\n", stderr);
  return 1;
}

}  // namespace
}  // namespace cppland::bench

int main(int argc, char** argv) {
  try {
    return cppland::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "decision_bench: %s\n", error.what());
    return 1;
  }
}
