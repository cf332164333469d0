// SPDX-License-Identifier: GPL-2.0-only
// scheduled.h - tasks on a modelled machine under a policy, and an account of what each of them
// got: for tests of what a policy comes to.
//
// Dispatcher, agent and policy are the ones that schedule real machines, and what their work costs
// is what docs/simulator.md says. Times are since the machine was attached.
#pragma once

#include <cppland/scheduler.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernel/shared_rings.h"
#include "kernel/sim/machine.h"
#include "sim/agent_task.h"
#include "tests/support/behaviours.h"

namespace cppland::sim::testing {

inline constexpr std::uint64_t kUs = 1'000;
inline constexpr std::uint64_t kNever = UINT64_MAX;

// --- what bounds a wait, of machines with the default options ---

// A slice that is used up is noticed by the next tick: so long runs whoever wants to, and that much
// longer than its slice at most.
inline constexpr std::uint64_t kTick = 4 * kMs;
// A pass of the agent, or two, and a change from one task to another.
inline constexpr std::uint64_t kChange = 100 * kUs;
// For so long one with credit is not preempted by another: `protect_ns` of bpf/state.bpf.h.
inline constexpr std::uint64_t kProtect = kMs / 2;
// The longest turn of a task that is given @slice.
constexpr std::uint64_t longest_turn(std::uint64_t slice) { return slice + kTick + kChange; }

// What a task does next: it sleeps until a point in time, and then needs so much CPU time.
struct Turn {
  std::uint64_t sleep_until = 0;
  std::uint64_t run_ns = 0;
};

// Called when the task has run what it said before; the argument is the time.
using Turns = std::function<Turn(std::uint64_t now)>;

inline Turns always() {
  return [](std::uint64_t now) { return Turn{now, 10 * kSec}; };
}

// Needs @run_ns in every period, and sleeps until the next one begins.
inline Turns every(std::uint64_t period_ns, std::uint64_t run_ns, std::uint64_t offset_ns = 0) {
  return [=](std::uint64_t now) {
    const std::uint64_t next =
        now < offset_ns ? offset_ns : offset_ns + ((now - offset_ns) / period_ns + 1) * period_ns;
    return Turn{next, run_ns};
  };
}

// First one, and from @when on another.
inline Turns change_at(std::uint64_t when, Turns first, Turns then) {
  return [=](std::uint64_t now) { return now < when ? first(now) : then(now); };
}

// What has become of one task.
struct Account {
  std::uint64_t wake_ups = 0;
  std::uint64_t preemptions = 0;     // wake-ups that took a CPU from another
  std::uint64_t on_credit = 0;       // CPU time from wake-ups on that did, or that were urgent
  std::uint64_t longest_wait = 0;    // for a CPU, from waking up or from losing one; that is over
  std::vector<std::uint64_t> waits;  // from each wake-up on

  std::vector<std::uint64_t> samples;  // of its CPU time, every kSample
  std::uint64_t waits_since = kNever;
  std::uint64_t ran_before = 0;  // its CPU time when it got this CPU
  bool ahead = false;            // ... for its credit
};

class Scheduled : private Observer {
 public:
  static constexpr std::uint64_t kSample = 10 * kMs;

  Scheduled(const PolicyEntry& entry, unsigned nr_cpus, MachineOptions options = {})
      : policy_(entry.make({.slice_ns = options.sleeper_credit_ns,
                            .slice_min_ns = options.slice_ns,
                            .nr_cpus = nr_cpus})),
        machine_(cpus(nr_cpus), as_asked_by(*policy_, options), this),
        begin_(machine_.now()) {
    agent_ = &machine_.start_agent(
        {.name = "agent", .behaviour = std::make_unique<AgentTask>(machine_, *policy_)});
  }

  // REQUIRES: run() was not called yet.
  Task& add(Turns turns, int nice = 0) {
    Task& task = machine_.start({.name = "task",
                                 .nice = nice,
                                 .behaviour = std::make_unique<Turning>(*this, std::move(turns))});
    tasks_.push_back(&task);
    return task;
  }
  void add_hogs(std::size_t count, int nice = 0) {
    for (std::size_t i = 0; i < count; ++i) add(always(), nice);
  }
  // Tasks that need @run_ns each, all together @percent of one CPU, one after the other.
  void add_periodic(std::size_t count, std::uint64_t run_ns, std::uint64_t percent) {
    const std::uint64_t period = run_ns * count * 100 / percent;
    for (std::size_t i = 0; i < count; ++i) add(every(period, run_ns, i * period / count));
  }

  void run(std::uint64_t until) {
    if (!machine_.attached()) machine_.attach();
    while (now() < until) {
      if (now() % kSample == 0)
        for (const Task* task : tasks_) accounts_[task].samples.push_back(cpu_time(*task));
      machine_.run(begin_ + std::min(until, (now() / kSample + 1) * kSample));
      if (machine_.exit().kind != Exit::kNone) {
        ADD_FAILURE() << "the kernel has ended the scheduler: " << machine_.exit().message;
        return;
      }
    }
  }

  [[nodiscard]] Machine& machine() noexcept { return machine_; }
  [[nodiscard]] const Task& agent() const noexcept { return *agent_; }
  [[nodiscard]] std::uint64_t now() const noexcept { return machine_.now() - begin_; }
  // All but the agent, in the order of their start.
  [[nodiscard]] std::span<Task* const> tasks() const noexcept { return tasks_; }
  [[nodiscard]] const Account& account(const Task& task) const { return accounts_.at(&task); }
  [[nodiscard]] static std::uint64_t cpu_time(const Task& task) noexcept {
    return task.se.sum_exec_runtime;
  }
  [[nodiscard]] static std::uint64_t count(cppland_counter which) noexcept {
    return counter(Machine::shm(), which);
  }

  // The least CPU time that the task got in any window of this length that begins at @from or
  // later; kNever if there is no such window.
  [[nodiscard]] std::uint64_t least_in_window(const Task& task, std::uint64_t window,
                                              std::uint64_t from = 0) const {
    const std::vector<std::uint64_t>& samples = account(task).samples;
    const std::size_t width = window / kSample;
    std::uint64_t least = kNever;
    for (std::size_t i = from / kSample; i + width < samples.size(); ++i)
      least = std::min(least, samples[i + width] - samples[i]);
    return least;
  }
  // How long it has waited at most, also if it still does.
  [[nodiscard]] std::uint64_t longest_wait(const Task& task) const {
    const Account& of = account(task);
    const std::uint64_t at = machine_.now();
    return std::max(of.longest_wait, at - std::min(at, of.waits_since));
  }
  [[nodiscard]] std::uint64_t longest_wait_of_all() const {
    std::uint64_t longest = 0;
    for (const Task* task : tasks_) longest = std::max(longest, longest_wait(*task));
    return longest;
  }
  [[nodiscard]] std::uint64_t on_credit() const {
    std::uint64_t sum = 0;
    for (const Task* task : tasks_) sum += account(*task).on_credit;
    return sum;
  }
  // Begins the accounts anew, but for the samples: what was until now is left out.
  void forget() {
    for (auto& [task, account] : accounts_) {
      account.wake_ups = account.preemptions = account.on_credit = account.longest_wait = 0;
      account.waits.clear();
    }
  }
  // What the tasks got together.
  [[nodiscard]] std::uint64_t cpu_time_of_all() const {
    std::uint64_t sum = 0;
    for (const Task* task : tasks_) sum += cpu_time(*task);
    return sum;
  }

 private:
  static constexpr std::uint64_t kUrgent = CPPLAND_MAX_CPUS + 3;  // DSQ_URGENT of bpf/state.bpf.h

  class Turning final : public Behaviour {
   public:
    Turning(const Scheduled& machine, Turns turns) : machine_(machine), turns_(std::move(turns)) {}

    Step next(Machine& /*machine*/, Task& /*task*/) override {
      if (!std::exchange(slept_, false)) {
        const Turn turn = turns_(machine_.now());
        run_ns_ = turn.run_ns;
        if (turn.sleep_until > machine_.now()) {
          slept_ = true;
          return {Step::Kind::kSleep, turn.sleep_until - machine_.now()};
        }
      }
      return {Step::Kind::kRun, run_ns_};
    }

   private:
    const Scheduled& machine_;
    Turns turns_;
    std::uint64_t run_ns_ = 0;
    bool slept_ = false;
  };

  static MachineOptions as_asked_by(const PolicyRunner& policy, MachineOptions options) {
    options.strict = policy.strict();
    return options;
  }

  void woke(const Task& task, std::uint64_t at) override {
    Account& account = accounts_[&task];
    ++account.wake_ups;
    account.waits_since = at;
    woken_.push_back(&task);
  }
  void began(const Task& task, int /*cpu*/, std::uint64_t at) override {
    Account& account = accounts_[&task];
    const std::uint64_t waited = at - account.waits_since;
    if (task.woken_at != 0) account.waits.push_back(waited);
    account.longest_wait = std::max(account.longest_wait, waited);
    account.waits_since = kNever;
    account.ran_before = cpu_time(task);
  }
  void ended(const Task& task, int /*cpu*/, std::uint64_t at) override {
    Account& account = accounts_[&task];
    if (std::exchange(account.ahead, false))
      account.on_credit += cpu_time(task) - account.ran_before;
    if (task.state == TaskState::kRunning) account.waits_since = at;
  }
  // Where the dispatcher has put those that woke up: at the head of a CPU that runs something.
  void settled(Machine& machine) override {
    for (const Task* task : woken_) {
      if (!task->queue) continue;
      const std::uint64_t in = task->queue->id();
      const bool preempts =
          (in & SCX_DSQ_LOCAL_ON) != 0 && machine.running_on(task->on_cpu) != nullptr;
      Account& account = accounts_[task];
      account.preemptions += preempts;
      account.ahead = preempts || in == kUrgent;
    }
    woken_.clear();
  }

  std::unique_ptr<PolicyRunner> policy_;
  std::map<const Task*, Account> accounts_;
  std::vector<const Task*> woken_;  // in the event that is being handled
  Machine machine_;
  std::uint64_t begin_;
  Task* agent_;
  std::vector<Task*> tasks_;
};

template <Policy P>
class ScheduledBy : public Scheduled {
 public:
  explicit ScheduledBy(unsigned nr_cpus, MachineOptions options = {})
      : Scheduled(policy_entry<P>("", ""), nr_cpus, options) {}
};

inline double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

// --- shares of tasks that want a CPU all the time ---

// @error: of each share, as a part of it.
inline void expect_shares_by_weight(const Scheduled& machine, double error) {
  double weights = 0;
  for (const Task* task : machine.tasks()) weights += static_cast<double>(task->scx.weight);
  for (const Task* task : machine.tasks()) {
    const double fair = seconds(machine.cpu_time_of_all()) * task->scx.weight / weights;
    EXPECT_NEAR(seconds(machine.cpu_time(*task)), fair, error * fair)
        << "task " << task->pid << " of weight " << task->scx.weight;
  }
}

// @error: of each share, in seconds.
inline void expect_equal_shares(const Scheduled& machine, double error) {
  const double fair =
      seconds(machine.cpu_time_of_all()) / static_cast<double>(machine.tasks().size());
  for (const Task* task : machine.tasks())
    EXPECT_NEAR(seconds(machine.cpu_time(*task)), fair, error) << "task " << task->pid;
}

}  // namespace cppland::sim::testing
