// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_fuzz.cc - agents that write anything into the memory that they share with the
// dispatcher, and would-be successors that say anything of themselves: tasks run all the same.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernel/sim/dispatcher.h"
#include "kernel/sim/machine.h"
#include "tests/support/behaviours.h"
#include "tests/support/fuzz_bytes.h"

namespace {

using namespace cppland;       // NOLINT(google-build-using-namespace): this is their test
using namespace cppland::sim;  // NOLINT(google-build-using-namespace)
using cppland::testing::FuzzBytes;
using cppland::testing::require;

using cppland::sim::testing::Hog;
using cppland::sim::testing::kMs;
using cppland::sim::testing::Periodic;
constexpr std::uint64_t kRun = 300 * kMs;
// slice_max_ns of bpf/state.bpf.h: whatever is decided, one that waits is next after this and what
// is below.
constexpr std::uint64_t kSlice = 100 * kMs;
constexpr std::uint64_t kStarve = 60 * kMs;

// Between two yields it writes what the bytes say.
class Scribbler final : public Behaviour {
 public:
  explicit Scribbler(FuzzBytes& bytes) : bytes_(bytes) {}

  Step next(Machine& machine, Task& task) override {
    runs_ = !runs_;
    if (!runs_) return {Step::Kind::kYield, 0};
    const auto acts = bytes_.take<std::uint8_t>() % 8;
    for (int i = 0; i < acts && !bytes_.empty(); ++i) act(machine, task);
    return {Step::Kind::kRun, 10'000};
  }

 private:
  void act(Machine& machine, const Task& self) {
    cppland_channel& channel = Machine::channel();
    switch (bytes_.take<std::uint8_t>() % 8) {
      case 0:
      case 1:
        decide(channel, machine);
        return;
      case 2:
        channel.agent.event_tail = bytes_.take<std::uint64_t>();
        return;
      case 3:
        channel.agent.event_tail = channel.dispatcher.event_head;
        return;
      case 4:
        channel.agent.decision_head += bytes_.take<std::uint8_t>();
        return;
      case 5:
        channel.agent.decision_head = bytes_.take<std::uint64_t>();
        return;
      case 6:
        succeed(self);
        return;
      default:
        ++channel.agent.passes;
    }
  }

  // Some of it right, so that more of it is looked at.
  void decide(cppland_channel& channel, const Machine& machine) {
    auto decision = bytes_.take<cppland_decision>();
    if (bytes_.take<std::uint8_t>() % 4 != 0) {
      const cppland_event& event =
          channel.event[(channel.dispatcher.event_head - 1) % CPPLAND_EVENT_SLOTS];
      decision.tid = event.tid;
      decision.generation = event.generation;
      decision.domain = 0;
      decision.op %= 3;
      decision.cpu %= static_cast<std::int32_t>(machine.topology().nr_online()) + 2;
    }
    const std::uint64_t head = channel.agent.decision_head++;
    channel.decision[head % CPPLAND_DECISION_SLOTS] = decision;
  }

  void succeed(const Task& self) {
    auto next = bytes_.take<cppland_agents>();
    const auto right = bytes_.take<std::uint8_t>();
    if (right & 1) next.version = CPPLAND_ABI_VERSION;
    if (right & 2) next.reign = Machine::shm().reign;
    if (right & 4) next.nr_domains = Machine::shm().nr_domains;
    if (right & 8) next.tgid = self.tgid;
    if (right & 16) next.tid[0] = self.pid;
    // What a successor may ask for is up to it: here, what the checks below reckon with.
    next.late_ns %= 20 * kMs;
    next.forget_ns %= kStarve;
    next.starve_ns %= kStarve;
    next.rescue_every_ns %= 20 * kMs;
    dispatcher().succeed(&next);
  }

  FuzzBytes& bytes_;
  bool runs_ = false;
};

// Nobody waits for longer than whatever is decided allows.
class Watch final : public Observer {
 public:
  void settled(Machine& machine) override {
    for (const auto& task : machine.tasks()) {
      if (task->state != TaskState::kWaiting) continue;
      const std::uint64_t most = kStarve + (machine.tasks().size() + 2) * kSlice;
      require(machine.now() - task->runnable_since < most);
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzBytes bytes(data, size);
  Watch watch;
  const unsigned nr_cpus = 1 + bytes.take<std::uint8_t>() % 4;
  std::vector<Cpu> cpus;
  cpus.reserve(nr_cpus);
  for (unsigned id = 0; id < nr_cpus; ++id) cpus.push_back({.id = id, .core = id});
  Machine machine(
      Topology(std::move(cpus), false),
      {.late_ns = 5 * kMs, .forget_ns = 40 * kMs, .starve_ns = kStarve, .trial_ns = 30 * kMs},
      &watch);
  machine.start_agent({.name = "agent", .behaviour = std::make_unique<Scribbler>(bytes)});
  const unsigned hogs = 1 + bytes.take<std::uint8_t>() % 6;
  for (unsigned i = 0; i < hogs; ++i)
    machine.start({.name = "hog", .behaviour = std::make_unique<Hog>()});
  machine.start({.name = "frame", .behaviour = std::make_unique<Periodic>(8 * kMs, kMs / 4)});
  machine.attach();
  machine.run(machine.now() + kRun);
  require(machine.exit().kind == Exit::kNone);
  return 0;
}
