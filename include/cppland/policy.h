// SPDX-License-Identifier: GPL-2.0-only
// policy.h - what a scheduling policy is: three functions and a Task type of its own.
#pragma once

#include <cppland/task.h>

#include <concepts>
#include <cstdint>
#include <optional>

namespace cppland {

inline constexpr std::uint32_t kDefaultTaskCapacity = 16384;

// What a policy is made with. On a machine with several last-level caches there is a policy for
// each, with an agent of its own, and tasks come and go between them.
struct PolicyConfig {
  std::uint64_t slice_ns =
      20'000'000;  // --slice-us: how far a sleeper may fall behind, a hog drift back
  std::uint64_t slice_min_ns = 1'000'000;  // --slice-us-min: the slice of a task of weight 100
  std::uint32_t nr_cpus = 1;               // online, that it decides for
  // Threads that can be remembered at once. More than that may exist; see TaskTable.
  std::uint32_t task_capacity = kDefaultTaskCapacity;
};

// The time and the machine, as one pass of the agent sees them.
struct Moment {
  std::uint64_t now_ns = 0;   // CLOCK_MONOTONIC, the same for all calls of one pass
  std::uint32_t waiting = 0;  // tasks waiting for its CPUs, decided or not, when the pass began
  std::uint32_t nr_cpus = 1;  // online, that the policy decides for
};

// Where a decided task may run.
inline constexpr std::int32_t kAnyCpu = -1;      // the first allowed CPU that is free
inline constexpr std::int32_t kAnyIdleCpu = -2;  // a CPU that is idle now, if there is one

// What a policy says of one task. Only `task` must be set.
struct Decision {
  Task* task = nullptr;

  // The smaller runs first, among everything decided and not yet running. Without a key, tasks run
  // in the order in which they were decided. A policy gives keys always or never.
  std::optional<std::uint64_t> key{};

  // How long it may run before it has to wait again. 0: --slice-us-min. The dispatcher shortens
  // what exceeds 100 ms, and the kernel looks at slices with every timer tick only.
  std::uint64_t slice_ns = 0;

  std::int32_t cpu = kAnyCpu;

  // Marks the task as latency-critical: whenever it wakes up from now on and no CPU is idle, it
  // takes over the CPU that runs the latest key, at once and without asking, until it has used this
  // much CPU time or is decided anew. 0: it waits its turn. What a policy gives here is taken from
  // others: give no more than the task is behind its share.
  std::uint64_t wake_credit_ns = 0;
};

// A policy decides the order in which waiting tasks run. It is arithmetic: no clock, no thread, no
// system call, no allocation after its constructor, no lock. Everything is called by one thread.
//
//   struct Fifo {
//     struct Task : cppland::Task {};
//     explicit Fifo(const cppland::PolicyConfig&) {}
//     void ready(Task& task, const cppland::Moment&) { queue.push(task); }
//     void gone(Task& task) { queue.erase(task); }
//     cppland::Decision next(const cppland::Moment&) {
//       return {.task = queue.empty() ? nullptr : &queue.pop()};
//     }
//     cppland::TaskQueue<Task> queue;
//   };
//
//   ready(task, moment)  the task waits; called once, until next() chose it or gone() was called
//   gone(task)           the task waits no more, and next() must not choose it: it was taken back
//                        or has exited. Also called for tasks that were not waiting
//   next(moment)         whom to run next, of those that wait; no task if nobody does
//
// The kernel holds what waits: a task that a policy forgets is served all the same, late, and
// counted.
template <typename P>
concept Policy =
    std::derived_from<typename P::Task, Task> && std::default_initializable<typename P::Task> &&
    std::constructible_from<P, const PolicyConfig&> &&
    requires(P policy, typename P::Task& task, const Moment& moment) {
      policy.ready(task, moment);
      policy.gone(task);
      { policy.next(moment) } -> std::same_as<Decision>;
    };

// A policy that grants credit may renew it before it is used up, without the task having to wait:
//
//   renew(task, moment)  the task has used half of what it was granted; returns its new credit in
//   ns
template <typename P>
concept RenewingPolicy =
    Policy<P> && requires(P policy, typename P::Task& task, const Moment& moment) {
      { policy.renew(task, moment) } -> std::convertible_to<std::uint64_t>;
    };

// A policy is strict if it says `static constexpr bool kStrict = true;`: then the agent is asked
// about every choice. Otherwise the agent rests after a pass in proportion to what the pass cost,
// and in between the dispatcher serves by weighted fairness, which matters to tasks that switch
// every few microseconds only.
template <typename P>
inline constexpr bool kIsStrict = requires { requires P::kStrict; };

}  // namespace cppland
