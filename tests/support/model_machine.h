// SPDX-License-Identifier: GPL-2.0-only
// model_machine.h - a machine in virtual time, small enough to see through: tasks, CPUs, one queue,
// and a policy that decides.
//
// What it keeps of the dispatcher: a wake-up finds an idle CPU, or preempts the CPU with the latest
// key while the task has credit, or waits; waiting tasks are told to the policy when a CPU needs
// one, and run in the order of its keys. What it leaves out: the agent takes no time, and is asked
// about every choice; any task may run on any CPU. Nothing in it is random.
#pragma once

#include <abi/cppland_abi.h>
#include <cppland/policy_host.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/events.h"

namespace cppland::testing {

inline constexpr std::uint64_t kUs = 1'000;
inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kSec = 1'000'000'000;
inline constexpr std::uint64_t kNever = UINT64_MAX;

// What a task does next: it sleeps until a point in time, and then needs this much CPU time.
struct Step {
  std::uint64_t sleep_until = 0;
  std::uint64_t run_ns = kNever;
};

// Called when a task has run what it said before; the argument is the time.
using Behaviour = std::function<Step(std::uint64_t now)>;

inline Behaviour hog() {
  return [](std::uint64_t now) { return Step{now, kNever}; };
}

// Needs @run_ns in every period, and sleeps until the next one begins.
inline Behaviour periodic(std::uint64_t period_ns, std::uint64_t run_ns,
                          std::uint64_t offset_ns = 0) {
  return [=](std::uint64_t now) {
    const std::uint64_t next =
        now < offset_ns ? offset_ns : offset_ns + ((now - offset_ns) / period_ns + 1) * period_ns;
    return Step{next, run_ns};
  };
}

// First one, and from @when on another.
inline Behaviour change_at(std::uint64_t when, Behaviour first, Behaviour then) {
  return [=](std::uint64_t now) { return now < when ? first(now) : then(now); };
}

template <Policy P>
class ModelMachine {
 public:
  static constexpr std::uint64_t kSample = 10 * kMs;  // how often each task's CPU time is noted

  struct ModelTask {
    std::int32_t tid = 0;
    std::uint32_t weight = 100;
    Behaviour behaviour;

    // As in the dispatcher's memory of a task.
    std::uint64_t total = 0;
    std::uint64_t told = 0;
    std::uint64_t woke_total = 0;
    std::uint64_t key = 0;
    bool has_key = false;
    std::uint64_t credit_until = 0;
    std::uint64_t credit_low = 0;
    bool told_low = false;
    bool woke = false;
    std::uint64_t generation = 0;

    std::uint64_t left = 0;  // of what it needs
    std::uint64_t slice = 0;
    std::uint64_t waits_since = 0;
    bool preempting = false;  // it runs because it preempted somebody

    // What the tests look at.
    std::uint64_t longest_wait = 0;
    std::uint64_t on_credit = 0;  // CPU time from a preempting wake-up on
    std::uint64_t preemptions = 0;
    std::uint64_t wake_ups = 0;
    std::vector<std::uint64_t> samples;  // of `total`
  };

  ModelMachine(const PolicyConfig& config, std::size_t nr_cpus)
      : config_(config), host_(config), cpus_(nr_cpus) {}

  // Returns its number. REQUIRES: run() was not called yet.
  std::size_t add(std::uint32_t weight, Behaviour behaviour) {
    ModelTask& task = tasks_.emplace_back();
    task.tid = static_cast<std::int32_t>(tasks_.size());
    task.weight = weight;
    task.behaviour = std::move(behaviour);
    task.generation = generation(static_cast<std::uint32_t>(tasks_.size()), 0);
    const Step step = task.behaviour(0);
    task.left = step.run_ns;
    asleep_.emplace(step.sleep_until, tasks_.size() - 1);
    return tasks_.size() - 1;
  }

  void run(std::uint64_t until) {
    while (now_ < until) {
      const std::uint64_t next = std::min({until, next_sample_, next_cpu_event(), next_wake_up()});
      advance(next - now_);
      now_ = next;
      if (now_ == next_sample_) {
        for (ModelTask& task : tasks_) {
          task.samples.push_back(task.total);
        }
        next_sample_ += kSample;
      }
      for (Cpu& cpu : cpus_) {
        if (cpu.task != nullptr && (cpu.task->left == 0 || cpu.slice_end <= now_)) {
          take_off(cpu);
          dispatch(cpu);
        }
      }
      while (next_wake_up() <= now_) {
        wake(tasks_[asleep_.extract(asleep_.begin()).value().second]);
      }
    }
  }

  [[nodiscard]] const ModelTask& task(std::size_t number) const { return tasks_[number]; }
  [[nodiscard]] const std::vector<ModelTask>& tasks() const { return tasks_; }
  [[nodiscard]] std::uint64_t now() const { return now_; }
  [[nodiscard]] PolicyHost<P>& host() { return host_; }

  // The least CPU time that a task got in any window of this length that begins at @from or later;
  // kNever if there is no such window.
  [[nodiscard]] std::uint64_t least_in_window(std::size_t number, std::uint64_t window,
                                              std::uint64_t from = 0) const {
    const std::vector<std::uint64_t>& samples = tasks_[number].samples;
    const std::size_t width = window / kSample;
    std::uint64_t least = kNever;
    for (std::size_t i = from / kSample; i + width < samples.size(); ++i) {
      least = std::min(least, samples[i + width] - samples[i]);
    }
    return least;
  }

  // How long it has waited at most, also if it still does.
  [[nodiscard]] std::uint64_t longest_wait(std::size_t number) const {
    const ModelTask& task = tasks_[number];
    const bool waits =
        std::ranges::find(held_, &task) != held_.end() ||
        std::ranges::any_of(decided_, [&](const auto& d) { return d.second == &task; });
    return std::max(task.longest_wait, waits ? now_ - task.waits_since : 0);
  }

 private:
  struct Cpu {
    ModelTask* task = nullptr;
    std::uint64_t slice_end = 0;
    std::uint64_t protected_until = 0;
  };

  struct Before {
    bool operator()(std::uint64_t a, std::uint64_t b) const {
      return static_cast<std::int64_t>(a - b) < 0;
    }
  };

  // The dispatcher's, in bpf/state.bpf.h.
  static constexpr std::uint64_t kProtect = kMs / 2;
  static constexpr std::uint64_t kForget = 500 * kMs;

  [[nodiscard]] std::uint64_t next_cpu_event() const {
    std::uint64_t next = kNever;
    for (const Cpu& cpu : cpus_) {
      if (cpu.task != nullptr) {
        next = std::min(
            {next, cpu.slice_end, cpu.task->left == kNever ? kNever : now_ + cpu.task->left});
      }
    }
    return next;
  }

  [[nodiscard]] std::uint64_t next_wake_up() const {
    return asleep_.empty() ? kNever : asleep_.begin()->first;
  }

  void advance(std::uint64_t ns) {
    for (Cpu& cpu : cpus_) {
      if (cpu.task == nullptr) {
        continue;
      }
      ModelTask& task = *cpu.task;
      task.total += ns;
      task.on_credit += task.preempting ? ns : 0;
      task.left -= task.left == kNever ? 0 : ns;
    }
  }

  // The CPU's task goes to sleep or, if it needs more, waits for its next turn.
  void take_off(Cpu& cpu) {
    ModelTask& task = *std::exchange(cpu.task, nullptr);
    task.preempting = false;
    if (task.left == 0) {
      const Step step = task.behaviour(now_);
      task.left = step.run_ns;
      if (step.sleep_until > now_) {
        asleep_.emplace(step.sleep_until, static_cast<std::size_t>(task.tid) - 1);
        return;
      }
    }
    hold(task);
  }

  void hold(ModelTask& task) {
    ++task.generation;
    task.waits_since = now_;
    held_.push_back(&task);
  }

  void put_on(Cpu& cpu, ModelTask& task, std::uint64_t slice) {
    cpu.task = &task;
    cpu.slice_end = now_ + slice;
    cpu.protected_until = task.total < task.credit_until ? now_ + kProtect : now_;
  }

  void wake(ModelTask& task) {
    task.woke = true;
    task.woke_total = task.total;
    ++task.wake_ups;
    for (Cpu& cpu : cpus_) {
      if (cpu.task == nullptr) {
        put_on(cpu, task, config_.slice_min_ns);
        return;
      }
    }
    Cpu* victim = task.total < task.credit_until ? pick_victim(task) : nullptr;
    if (victim == nullptr) {
      hold(task);
      return;
    }
    if (task.total >= task.credit_low && !task.told_low) {
      task.told_low = true;
      tell(task, CPPLAND_EVENT_RAN);
    }
    take_off(*victim);
    put_on(*victim, task, config_.slice_min_ns);
    task.preempting = true;
    ++task.preemptions;
  }

  Cpu* pick_victim(const ModelTask& task) {
    Cpu* victim = nullptr;
    std::uint64_t latest = task.key;
    for (Cpu& cpu : cpus_) {
      if (now_ < cpu.protected_until) {
        continue;
      }
      if (!cpu.task->has_key) {
        return &cpu;
      }
      if (Before()(latest, cpu.task->key)) {
        latest = cpu.task->key;
        victim = &cpu;
      }
    }
    return victim;
  }

  void dispatch(Cpu& cpu) {
    nr_waiting_ = static_cast<std::uint32_t>(held_.size() + decided_.size());
    for (ModelTask* task : std::exchange(held_, {})) {
      tell(*task, CPPLAND_EVENT_READY);
      asked_.emplace(task->tid, task);
    }
    std::array<cppland_decision, 128> decisions{};
    while (const std::size_t n = host_.decide(moment(), decisions)) {
      for (const cppland_decision& decision : std::span(decisions).first(n)) {
        carry_out(decision);
      }
    }
    if (decided_.empty()) {
      return;
    }
    ModelTask& task = *decided_.begin()->second;
    decided_.erase(decided_.begin());
    task.longest_wait = std::max(task.longest_wait, now_ - task.waits_since);
    put_on(cpu, task, task.slice);
  }

  void tell(ModelTask& task, std::uint32_t type) {
    const cppland_event event = EventOf{.tid = task.tid,
                                        .generation = task.generation,
                                        .used_ns = task.total - task.told,
                                        .exec_runtime_ns = task.total - task.woke_total,
                                        .total_ns = task.total,
                                        .at_ns = task.waits_since,
                                        .weight = task.weight,
                                        .flags = task.woke ? std::uint32_t{CPPLAND_TASK_WOKE} : 0U}
                                    .of_type(type);
    task.told = task.total;
    task.woke = false;
    std::array<cppland_decision, 1> renewals{};
    const std::size_t n = host_.take({&event, 1}, moment(), renewals);
    for (const cppland_decision& decision : std::span(renewals).first(n)) {
      grant(task, decision.wake_credit_ns);
    }
  }

  void carry_out(const cppland_decision& decision) {
    const auto asked = asked_.find(decision.tid);
    if (asked == asked_.end() || asked->second->generation != decision.generation) {
      return;
    }
    ModelTask& task = *asked->second;
    asked_.erase(asked);
    task.key = decision.key;
    task.has_key = true;
    task.slice = decision.slice_ns != 0 ? decision.slice_ns : config_.slice_min_ns;
    grant(task, decision.wake_credit_ns);
    decided_.emplace(task.key, &task);
  }

  static void grant(ModelTask& task, std::uint64_t credit) {
    credit = std::min(credit, kForget);
    task.credit_until = task.total + credit;
    task.credit_low = task.total + credit / 2;
    task.told_low = false;
  }

  [[nodiscard]] Moment moment() const {
    return {.now_ns = kSec + now_,
            .waiting = nr_waiting_,
            .nr_cpus = static_cast<std::uint32_t>(cpus_.size())};
  }

  PolicyConfig config_;
  PolicyHost<P> host_;
  std::vector<Cpu> cpus_;
  std::vector<ModelTask> tasks_;
  std::set<std::pair<std::uint64_t, std::size_t>> asleep_;  // by when they wake up, and number
  std::vector<ModelTask*> held_;
  std::map<std::int32_t, ModelTask*> asked_;
  std::multimap<std::uint64_t, ModelTask*, Before> decided_;
  std::uint32_t nr_waiting_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t next_sample_ = 0;
};

}  // namespace cppland::testing
