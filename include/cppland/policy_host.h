// SPDX-License-Identifier: GPL-2.0-only
// policy_host.h - between the agent, which speaks the ABI, and a policy, which speaks of tasks.
#pragma once

#include <abi/cppland_abi.h>
#include <cppland/policy.h>
#include <cppland/task_table.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace cppland {

// A policy as the agent sees it: one virtual call per batch. One thread.
class PolicyRunner {
 public:
  PolicyRunner() = default;
  PolicyRunner(const PolicyRunner&) = delete;
  PolicyRunner& operator=(const PolicyRunner&) = delete;
  virtual ~PolicyRunner() = default;

  // Takes in events. They come from memory that another side writes: nothing in them is trusted. A
  // renewal of credit is answered at once, in @decisions, which has room for one per event; returns
  // how many there are.
  virtual std::size_t take(std::span<const cppland_event> events, const Moment& moment,
                           std::span<cppland_decision> decisions) noexcept = 0;

  // The policy's next decisions, as many as there are and fit; returns how many.
  virtual std::size_t decide(const Moment& moment,
                             std::span<cppland_decision> decisions) noexcept = 0;

  // Tasks that wait and are not decided.
  [[nodiscard]] virtual std::uint32_t waiting() const noexcept = 0;
  [[nodiscard]] virtual bool strict() const noexcept = 0;
};

template <typename P>
class PolicyHost final : public PolicyRunner {
  static_assert(Policy<P>,
                "a policy needs a Task type derived from cppland::Task, a constructor from "
                "PolicyConfig, and ready(), gone() and next(): see cppland/policy.h");

 public:
  explicit PolicyHost(const PolicyConfig& config) : tasks_(config.task_capacity), policy_(config) {}

  std::size_t take(std::span<const cppland_event> events, const Moment& moment,
                   std::span<cppland_decision> decisions) noexcept override {
    std::size_t n = 0;  // NOLINT(misc-const-correctness): renewing policies add to it
    for (const cppland_event& event : events) {
      if (event.tid <= 0) continue;
      if (event.type == CPPLAND_EVENT_GONE) {
        T* task = tasks_.find(event.tid);
        if (task && task->generation_ >> 32 == event.generation >> 32) forget(*task);
      } else if (event.type == CPPLAND_EVENT_READY) {
        if (T* task = learn(event)) make_ready(*task, moment);
      } else if (event.type == CPPLAND_EVENT_RAN) {
        T* task = learn(event);
        if (!task) continue;
        stop_waiting(*task);  // served without the agent, if it did
        task->unheard_ = true;
        if constexpr (RenewingPolicy<P>) {
          if (n == decisions.size()) continue;
          cppland_decision& out = decisions[n++] = {};
          out.op = CPPLAND_DECIDE_CREDIT;
          out.tid = task->tid;
          out.generation = task->generation_;
          out.wake_credit_ns = policy_.renew(*task, moment);
          heard(*task);
        }
      }
    }
    return n;
  }

  std::size_t decide(const Moment& moment,
                     std::span<cppland_decision> decisions) noexcept override {
    std::size_t n = 0;
    std::size_t useless = 0;
    while (n < decisions.size() && useless < decisions.size()) {
      const Decision decision = policy_.next(moment);
      if (!decision.task) break;
      T& task = static_cast<T&>(*decision.task);
      if (!task.waiting_) {
        ++useless;  // a policy that decides twice
        continue;
      }
      task.waiting_ = false;
      --waiting_;
      cppland_decision& out = decisions[n++] = {};
      out.op = CPPLAND_DECIDE_RUN;
      out.tid = task.tid;
      out.generation = task.generation_;
      out.key = decision.key ? *decision.key : next_key_++;
      out.slice_ns = decision.slice_ns;
      out.cpu = decision.cpu;
      out.wake_credit_ns = decision.wake_credit_ns;
    }
    return n;
  }

  [[nodiscard]] std::uint32_t waiting() const noexcept override { return waiting_; }
  [[nodiscard]] bool strict() const noexcept override { return kIsStrict<P>; }

  [[nodiscard]] P& policy() noexcept { return policy_; }
  [[nodiscard]] const TaskTable<typename P::Task>& tasks() const noexcept { return tasks_; }

 private:
  using T = typename P::Task;

  // CPU time since the last event, in ns: no thread uses an hour between two.
  static std::uint64_t bounded(std::uint64_t used_ns) noexcept {
    return std::min<std::uint64_t>(used_ns, 3'600'000'000'000);
  }

  // The task that an event is about, with its figures brought up to date.
  T* learn(const cppland_event& event) noexcept {
    T* task = tasks_.find(event.tid);
    if (task && task->generation_ >> 32 != event.generation >> 32) {
      forget(*task);  // the same tid, another thread
      task = nullptr;
    }
    if (!task && tasks_.size() == tasks_.capacity()) {
      if (T* stale = tasks_.stalest()) forget(*stale);
    }
    if (!task) task = tasks_.add(event.tid);
    if (!task) return nullptr;
    tasks_.touch(*task);
    task->generation_ = event.generation;
    task->tgid = event.tgid;
    task->weight = std::clamp<std::uint32_t>(event.weight, 1, 10000);
    task->cpu = event.cpu;
    task->nr_cpus_allowed = event.nr_cpus_allowed;
    task->kernel_thread = (event.flags & CPPLAND_TASK_KTHREAD) != 0;
    task->woke = (event.flags & CPPLAND_TASK_WOKE) != 0 || (task->unheard_ && task->woke);
    task->ready_ns = event.at_ns;
    task->used_ns = bounded(bounded(event.used_ns) + (task->unheard_ ? task->used_ns : 0));
    task->preempt_ns = bounded(bounded(event.preempt_ns) + (task->unheard_ ? task->preempt_ns : 0));
    task->exec_runtime_ns = bounded(event.exec_runtime_ns);
    task->total_ns = event.total_ns;
    std::copy_n(event.comm, task->comm_.size(), task->comm_.begin());
    return task;
  }

  void make_ready(T& task, const Moment& moment) noexcept {
    stop_waiting(task);  // asked anew: the dispatcher had taken it back
    task.waiting_ = true;
    ++waiting_;
    policy_.ready(task, moment);
    heard(task);
  }

  // The policy has been told of @task, with all its figures.
  void heard(T& task) noexcept {
    task.first = false;
    task.unheard_ = false;
  }

  void stop_waiting(T& task) noexcept {
    if (!task.waiting_) return;
    policy_.gone(task);
    task.waiting_ = false;
    --waiting_;
  }

  void forget(T& task) noexcept {
    policy_.gone(task);
    if (task.waiting_) --waiting_;
    tasks_.erase(task);
  }

  TaskTable<T> tasks_;
  P policy_;  // after the table: its queues let go of the tasks first
  std::uint64_t next_key_ = 1;
  std::uint32_t waiting_ = 0;
};

}  // namespace cppland
