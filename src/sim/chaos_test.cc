// SPDX-License-Identifier: GPL-2.0-only
// chaos_test.cc - whatever tasks, users and the agent do, the dispatcher keeps its promises.
//
// Each seed is a machine of its own: CPUs, tasks and a policy are drawn, then for two seconds tasks
// sleep, wake each other, change affinity and nice, come and go, and the agent stalls, while after
// each half of a millisecond everything is looked at. CPPLAND_CHAOS_SEEDS=FIRST-LAST runs other
// seeds than the test does by itself.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kernel/shared_rings.h"
#include "policies/table.h"
#include "sim/agent_task.h"
#include "tests/support/behaviours.h"

namespace cppland::sim {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): its words are these tests' own

// std::uniform_int_distribution is not the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// Runs, sleeps, yields, waits to be woken, wakes others: at random.
class Fickle final : public Behaviour {
 public:
  Fickle(Random& random, std::vector<Task*>& tasks, bool exits)
      : random_(random), tasks_(tasks), exits_(exits) {}

  Step next(Machine& machine, Task& /*task*/) override {
    if (random_.one_in(4)) machine.wake(*tasks_[random_.below(tasks_.size())]);
    switch (random_.below(exits_ ? 40 : 39)) {
      case 39:
        return {Step::Kind::kExit, 0};
      case 38:
        return {Step::Kind::kYield, 0};
      case 36:
      case 37:  // hands over: a synchronous wake-up says that its waker is about to sleep
        machine.wake(*tasks_[random_.below(tasks_.size())], true);
        return {Step::Kind::kBlock, 0};
      default:
        break;
    }
    if (random_.one_in(2)) return {Step::Kind::kSleep, 1 + random_.below(5 * kMs)};
    return {Step::Kind::kRun, 1 + random_.below(random_.one_in(8) ? 30 * kMs : kMs)};
  }

 private:
  Random& random_;
  std::vector<Task*>& tasks_;
  bool exits_;
};

// The agent, which now and then takes its time.
class StallingAgent final : public Behaviour {
 public:
  StallingAgent(Random& random, Machine& machine, PolicyRunner& policy)
      : random_(random), agent_(machine, policy) {}

  Step next(Machine& machine, Task& task) override {
    const Step step = agent_.next(machine, task);
    if (step.kind != Step::Kind::kRun || !random_.one_in(50)) return step;
    ++stalls_;
    return {Step::Kind::kRun, random_.below(100 * kMs)};
  }

  [[nodiscard]] int stalls() const noexcept { return stalls_; }

 private:
  Random& random_;
  AgentTask agent_;
  int stalls_ = 0;
};

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : random_(seed), nr_cpus_(1 + static_cast<unsigned>(random_.below(5))) {
    const auto entries = policies::all();
    policy_ = entries[random_.below(entries.size())].make({.nr_cpus = nr_cpus_});
    machine_.emplace(cpus(nr_cpus_), MachineOptions{.strict = random_.one_in(2)});
    machine_->start_agent(
        {.name = "agent",
         .behaviour = std::make_unique<StallingAgent>(random_, *machine_, *policy_)});
    const std::uint64_t n = 2 + random_.below(30);
    for (std::uint64_t i = 0; i < n; ++i) add_task();
    machine_->attach();
  }

  // What is wrong; empty if nothing is.
  std::string run() {
    for (int step = 0; step < 4000; ++step) {
      disturb();
      machine_->run(machine_->now() + kMs / 2);
      if (machine_->exit().kind != Exit::kNone) return machine_->exit().message;
      if (auto wrong = look(); !wrong.empty())
        return fmt::format("after {} half milliseconds: {}", step, wrong);
    }
    return {};
  }

 private:
  void add_task() {
    const auto kind = random_.below(4);
    TaskSpec spec{.name = fmt::format("t{}", tasks_.size()),
                  .nice = static_cast<int>(random_.below(20)) - 10,
                  .cpus = random_.one_in(3) ? some_cpus() : CpuSet{}};
    if (kind == 0) {
      spec.behaviour = std::make_unique<Hog>();
    } else {
      spec.behaviour = std::make_unique<Fickle>(random_, tasks_, kind == 1);
    }
    tasks_.push_back(&machine_->start(std::move(spec)));
  }

  CpuSet some_cpus() {
    CpuSet set;
    set.set(static_cast<unsigned>(random_.below(nr_cpus_)));
    if (random_.one_in(2)) set.set(static_cast<unsigned>(random_.below(nr_cpus_)));
    return set;
  }

  void disturb() {
    if (!random_.one_in(10)) return;
    Task& task = *tasks_[random_.below(tasks_.size())];
    switch (random_.below(4)) {
      case 0:
        if (task.state != TaskState::kDead) machine_->set_affinity(task, some_cpus());
        break;
      case 1:
        if (task.state != TaskState::kDead)
          machine_->set_nice(task, static_cast<int>(random_.below(40)) - 20);
        break;
      case 2:
        machine_->wake(task);
        break;
      default:
        if (tasks_.size() < 100) add_task();
    }
  }

  std::string look() {
    for (const Task* task : tasks_) {
      int running = 0;
      for (int cpu = 0; cpu < static_cast<int>(nr_cpus_); ++cpu) {
        if (machine_->running_on(cpu) == task) {
          ++running;
          if (!task->allowed.test(static_cast<unsigned>(cpu)))
            return fmt::format("{} runs on CPU {}, which it may not", task->name, cpu);
        }
      }
      if (running != (task->state == TaskState::kRunning))
        return fmt::format("{} runs on {} CPUs", task->name, running);
      if (task->state == TaskState::kWaiting && !task->queue)
        return fmt::format("{} waits and is in no queue", task->name);
      if (task->state != TaskState::kWaiting) continue;
      const std::uint64_t waited = machine_->now() - task->runnable_since;
      // Nobody waits longer than starve_ns and rescue's pause, and then behind one slice of
      // everybody who is rescued with it.
      if (waited > 4 * kSec)
        return fmt::format("{} has waited for {} ms", task->name, waited / kMs);
      if (waited < kMs) continue;  // its CPU may be on its way
      for (const unsigned cpu : task->allowed) {
        const int id = static_cast<int>(cpu);
        if (!machine_->running_on(id) && machine_->idle_for(id) > kMs)
          return fmt::format("{} waits on CPU {}'s runqueue, in queue {:x}, while CPU {} is idle",
                             task->name, task->on_cpu, task->queue->id(), cpu);
      }
    }
    return {};
  }

  Random random_;
  unsigned nr_cpus_;
  std::vector<Task*> tasks_;
  std::unique_ptr<PolicyRunner> policy_;
  std::optional<Machine> machine_;
};

TEST(Chaos, BreaksNoPromise) {
  unsigned long first = 1;
  unsigned long last = 60;
  if (const char* seeds =
          std::getenv("CPPLAND_CHAOS_SEEDS")) {  // NOLINT(concurrency-mt-unsafe): one thread
    ASSERT_EQ(std::sscanf(seeds, "%lu-%lu", &first, &last), 2) << "CPPLAND_CHAOS_SEEDS=FIRST-LAST";
  }
  for (unsigned long seed = first; seed <= last; ++seed) {
    const std::string wrong = Chaos(seed).run();
    ASSERT_EQ(wrong, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace cppland::sim
