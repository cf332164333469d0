// SPDX-License-Identifier: GPL-2.0-only
// machine.h - a model of Linux with sched_ext: CPUs, tasks and time, scheduled by the dispatcher.
//
// The dispatcher is the one of bpf/, compiled for the host; the model calls its callbacks and
// answers its calls (kfuncs.cc) by the rules of kernel/sched/ext.c, each named where it stands.
// Nothing here depends on anything but its inputs: the same calls give the same result, to the last
// nanosecond.
#pragma once

#include <abi/cppland_abi.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/cpu_set.h"
#include "base/random.h"
#include "base/scope.h"
#include "kernel/sim/costs.h"
#include "kernel/sim/dispatch_queue.h"
#include "kernel/sim/kernel_types.h"
#include "topology/domains.h"
#include "topology/topology.h"

namespace cppland::sim {

class Machine;
struct Task;

inline constexpr std::uint32_t kExiting = 0x4;  // PF_EXITING of task_struct.flags
inline constexpr std::uint64_t kGlobalQueue = 0x8000000000000001ULL;  // SCX_DSQ_GLOBAL

// What a task does once it has a CPU and its last step is done.
struct Step {
  enum class Kind : std::uint8_t {
    kRun,    // needs `ns` of a full CPU's time
    kSleep,  // wakes up `ns` from now
    kBlock,  // until somebody wakes it
    kYield,
    kExit,
  };
  Kind kind = Kind::kExit;
  std::uint64_t ns = 0;
};

// One task's program. Called when the task runs; may wake and start others.
class Behaviour {
 public:
  Behaviour() = default;
  Behaviour(const Behaviour&) = delete;
  Behaviour& operator=(const Behaviour&) = delete;
  virtual ~Behaviour() = default;
  virtual Step next(Machine& machine, Task& task) = 0;
};

struct TaskSpec {
  std::string name;
  int nice = 0;
  CpuSet cpus{};  // none: all
  bool kernel_thread = false;
  std::unique_ptr<Behaviour> behaviour;
};

//   kBlocked → kWaiting → kRunning → kWaiting, kBlocked or kDead; kAway from kWaiting and kRunning,
//   and back to kWaiting
enum class TaskState : std::uint8_t {
  kBlocked,
  kWaiting,
  kRunning,
  kAway,  // in another scheduling class
  kDead,
};

// A thread. Its address stays the same; it lives as long as the machine.
struct Task : task_struct, QueuePlace {
  Task() : task_struct{} {}

  std::string name;
  std::unique_ptr<Behaviour> behaviour;
  TaskState state = TaskState::kBlocked;
  int nice = 0;
  int on_cpu = 0;   // whose runqueue it is on
  int ran_on = -1;  // where it runs, or last ran
  CpuSet allowed;
  std::uint64_t work_left = 0;  // of its step, in ns of a full CPU
  std::uint64_t sleep = 0;      // tells its timers apart
  std::uint64_t runnable_since = 0;
  std::uint64_t woken_at = 0;  // 0: has run since
  std::uint64_t migrations = 0;
  struct Insertion {
    std::uint64_t dsq;
    std::uint64_t flags;
    bool by_vtime;
  };
  std::optional<Insertion> insertion{};  // where a callback wants it, once that is over
  std::uint64_t given = 0;               // 0: it is not left to the dispatcher outside all queues
  std::vector<std::pair<const void*, std::unique_ptr<std::byte[]>>> storage;  // map, value
};

// What a callback may call. enum scx_kf_mask of include/linux/sched/ext.h.
inline constexpr unsigned kKfUnlocked = 0;
inline constexpr unsigned kKfCpuRelease = 1;
inline constexpr unsigned kKfDispatch = 2;
inline constexpr unsigned kKfEnqueue = 4;
inline constexpr unsigned kKfSelectCpu = 8;
inline constexpr unsigned kKfRest = 16;

// Why the kernel has ended the scheduler. enum scx_exit_kind of kernel/sched/ext_internal.h.
struct Exit {
  static constexpr int kNone = 0;
  static constexpr int kUnregistered = 64;
  static constexpr int kError = 1024;
  static constexpr int kStall = 1026;

  int kind = kNone;
  std::string message;
};

// Hears what happens. All times are the machine's.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;
  virtual void woke(const Task& /*task*/, std::uint64_t /*at*/) {}
  virtual void began(const Task& /*task*/, int /*cpu*/, std::uint64_t /*at*/) {}
  virtual void ended(const Task& /*task*/, int /*cpu*/, std::uint64_t /*at*/) {}
  // After each event, when everything is in its place.
  virtual void settled(Machine& /*machine*/) {}
};

struct MachineOptions {
  Costs costs{};
  std::uint64_t tick_ns = 4'000'000;         // CONFIG_HZ=250
  std::uint64_t timeout_ns = 5'000'000'000;  // the watchdog's
  std::uint64_t slice_ns = 1'000'000;
  std::uint64_t sleeper_credit_ns = 20'000'000;
  // The dispatcher's bounds; 0: its own.
  std::uint64_t late_ns = 0;
  std::uint64_t forget_ns = 0;
  std::uint64_t starve_ns = 0;
  std::uint64_t trial_ns = 0;
  // Agents are for at least so many CPUs that share a last-level cache; 0: there is one.
  std::uint64_t cpus_per_agent = 0;
  bool strict = false;
  bool agent_sleeps = false;  // when it has nothing to do, until the dispatcher calls it
  bool percpu_local = false;
  bool numa_local = false;
  // How often other CPUs go on while one is in the middle of a callback: at so many of a hundred
  // calls of the kernel's functions, drawn from the seed.
  unsigned interleave_percent = 0;
  std::uint64_t interleave_seed = 0;
  struct sim_kernel_has has{true, true, true, true, true, true};
};

// One at a time in a process: the dispatcher's memory is global. One thread.
class Machine {
 public:
  explicit Machine(Topology topology, const MachineOptions& options = {},
                   Observer* observer = nullptr);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The one that exists. The dispatcher's calls go to it.
  [[nodiscard]] static Machine& current();

  // Starts a task, which may run from now on. Before attach() it waits for that.
  Task& start(TaskSpec spec);
  // The same for the agent of each domain, in their order, which may run on the domain's CPUs. To
  // be called before attach().
  Task& start_agent(TaskSpec spec);
  // Another process's agents, one for each domain, want to take over. What the dispatcher says to
  // that: 0 or a negative errno. They run in either case. REQUIRES: attached().
  int take_over(std::vector<TaskSpec> specs);
  [[nodiscard]] const Domains& domains() const noexcept { return domains_; }
  [[nodiscard]] bool agent_sleeps() const noexcept { return options_.agent_sleeps; }
  // Whether the dispatcher has called an agent that sleeps, since this was last asked.
  bool answer_call() noexcept { return std::exchange(agent_called_, false); }
  // Gives the machine to the dispatcher. Tasks that have been started become runnable.
  void attach();
  void detach();

  // Lets time pass, until @until or the kernel has ended the scheduler.
  void run(std::uint64_t until);

  // What a task does to others, or somebody to a task: from a Behaviour, or between runs.
  void wake(Task& task, bool sync = false);
  // REQUIRES: an online CPU is among @cpus.
  void set_affinity(Task& task, const CpuSet& cpus);
  void set_nice(Task& task, int nice);

  // A CPU goes offline, or comes back. It goes when nothing that is runnable is left on it, which
  // takes a while. REQUIRES: another CPU stays online.
  void offline(int cpu);
  void online(int cpu);
  // A task of a higher class takes the CPU for @ns.
  void steal(int cpu, std::uint64_t ns);
  // Its user moves a task to another class, and back. Does nothing to one that is blocked or dead.
  void leave_class(Task& task);
  void join_class(Task& task);

  // A timer of the tester's own.
  void at(std::uint64_t when, std::function<void()> what);

  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  [[nodiscard]] const Exit& exit() const noexcept { return exit_; }
  [[nodiscard]] bool attached() const noexcept { return attached_; }
  [[nodiscard]] const Topology& topology() const noexcept { return topology_; }
  [[nodiscard]] static cppland_shm& shm() noexcept;
  // That of the agent that decides, or of the one of a reign.
  [[nodiscard]] static cppland_channel& channel(std::size_t domain = 0) noexcept;
  [[nodiscard]] static cppland_channel& channel(std::size_t domain, std::uint32_t reign) noexcept;
  [[nodiscard]] const std::vector<std::unique_ptr<Task>>& tasks() const noexcept { return tasks_; }
  [[nodiscard]] Task* running_on(int cpu) const noexcept { return cpus_[index(cpu)].task; }
  [[nodiscard]] std::uint64_t idle_ns(int cpu) const noexcept;
  // For how long it has been idle; 0 if it is not, or is not there to be used.
  [[nodiscard]] std::uint64_t idle_for(int cpu) const noexcept;
  // When a kick of an idle CPU last came to one that was idle no more.
  [[nodiscard]] std::uint64_t late_kick_at() const noexcept { return late_kick_at_; }
  // CPUs that are online and do not go.
  [[nodiscard]] const CpuSet& active() const noexcept { return active_; }
  // It shall go offline, and is not gone yet.
  [[nodiscard]] bool is_leaving(int cpu) const;
  [[nodiscard]] bool is_stolen(int cpu) const noexcept {
    return now_ < cpus_[index(cpu)].stolen_until;
  }

 private:
  friend class Kfuncs;

  // kernel/sched/ext.c, struct scx_dsp_buf_ent.
  struct Inserted {
    Task* task;
    std::uint64_t given;
    Task::Insertion where;
  };

  struct CpuState {
    CpuState(int cpu, const Cpu* of_topology);
    int id;
    const Cpu* info;
    Task* task = nullptr;  // null: idle
    DispatchQueue local;
    std::uint64_t charged_at = 0;  // up to then its task is charged
    std::uint64_t works_from = 0;  // its task makes no progress before: switching
    std::uint64_t stop = 0;        // tells the ends of steps apart
    bool resched = false;
    bool idle = false;
    bool runs_idle_thread = false;
    bool in_dispatch = false;
    bool busy_sibling = false;       // it shares its core with a task, and is the slower for it
    std::uint64_t stolen_until = 0;  // by a task of a higher class
    bool ticking = false;
    std::uint64_t dispatched = 0;    // in this round of ops.dispatch()
    std::vector<Inserted> inserted;  // by ops.dispatch(), and not yet where they shall be
    std::uint64_t idle_since = 0;
    std::uint64_t idle_ns = 0;
  };

  struct Event {
    enum class Kind : std::uint8_t {
      kWake,
      kStop,
      kTick,
      kResched,
      kTimer,
      kWatchdog,
      kCall,
      kReturn,   // of a CPU that was stolen
      kOffline,  // looks whether a CPU that goes may
    };
    std::uint64_t at;
    std::uint64_t order;
    Kind kind;
    std::uint64_t which;  // tid, CPU or timer
    std::uint64_t version;
    bool operator>(const Event& other) const noexcept {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  struct Timer {
    void* map = nullptr;
    std::uint32_t key = 0;
    void* element = nullptr;
    void* callback = nullptr;
    std::uint64_t version = 0;
    int cpu = 0;
  };

  static std::size_t index(int cpu) noexcept { return static_cast<std::size_t>(cpu); }
  CpuState& cpu_of(const Task& task) noexcept { return cpus_[index(task.on_cpu)]; }
  Task* task_of(std::uint64_t tid) noexcept;
  Task& add(TaskSpec spec);
  Task& add_agent(TaskSpec spec, std::vector<Task*>& process);

  // --- time ---
  void post(std::uint64_t at, Event::Kind kind, std::uint64_t which, std::uint64_t version = 0);
  void handle(const Event& event);
  void on_timer(std::uint64_t which, std::uint64_t version);
  void on_tick(CpuState& cpu);
  void on_stop(CpuState& cpu);
  void on_watchdog();
  void charge(CpuState& cpu);
  void interrupt(CpuState& cpu, std::uint64_t ns);
  void plan_stop(CpuState& cpu);
  void note_siblings(CpuState& cpu);
  [[nodiscard]] std::uint64_t speed(const CpuState& cpu) const noexcept;
  void start_tick(CpuState& cpu);

  // --- sched_ext ---
  void reschedule(int cpu, bool from_other);
  void schedule(CpuState& cpu);
  Task* pick(CpuState& cpu, Task* prev, bool prev_ready);
  void switch_to(CpuState& cpu, Task* next);
  void go_idle(CpuState& cpu);
  void tell_of_idleness(CpuState& cpu, bool idle);
  void put_prev(CpuState& cpu, Task& prev, bool last);
  void dispatch(CpuState& cpu, Task* prev);
  void flush(CpuState& cpu);
  void finish_dispatch(CpuState& cpu, const Inserted& inserted);
  bool consume(CpuState& cpu, DispatchQueue& from);
  void kick(int cpu, std::uint64_t flags);
  void kick_now(int cpu, std::uint64_t flags);
  void release(CpuState& cpu);
  static void take_out(Task& task);
  void take_off(Task& task);
  void change(Task& task, const std::function<void()>& what);
  void wake_up(Task& task, std::uint64_t wake_flags, bool fork);
  void enqueue(Task& task, std::uint64_t flags);
  void enqueue_later(Task& task, std::uint64_t flags);
  void insert_now(Task& task, const Task::Insertion& where);
  void link(DispatchQueue& to, Task& task, bool by_vtime, std::uint64_t flags);
  void put_into_local(CpuState& cpu, Task& task, std::uint64_t flags);
  void put_into_local_unasked(Task& task, std::uint64_t flags);
  void move_queued(Task& task);
  void end_scheduler(int kind, std::string message);
  [[nodiscard]] std::uint64_t cost_of_moving(const Task& task, int cpu) const;
  int fallback_cpu(Task& task);
  [[nodiscard]] static bool is_per_cpu_thread(const Task& task);
  [[nodiscard]] bool may_run_on(const Task& task, int cpu) const;
  [[nodiscard]] bool may_consume(const Task& task, int cpu) const;

  // Makes a call of the dispatcher's, which may call what @mask says.
  template <class Callback>
  auto call(unsigned mask, const Callback& callback) {
    const Finally restore([this, before = std::exchange(kf_mask_, mask)] { kf_mask_ = before; });
    return callback();
  }

  // --- CPUs that go on while another is in the middle of a callback ---
  void interleave();
  bool go_on_elsewhere();
  [[nodiscard]] bool can_go_on(const Event& event);
  // Whether the runqueue of @cpu is locked by a callback that another CPU is in the middle of.
  [[nodiscard]] bool is_held(int cpu) const;
  // What needs a runqueue that is held, or the end of a callback.
  void later(std::function<void()> what);
  void do_later(std::size_t from);

  // --- CPUs that come and go ---
  void try_to_go(CpuState& cpu);
  bool push_away(CpuState& cpu, Task& task);

  // --- idle CPUs; kernel/sched/ext_idle.c ---
  bool claim_idle(int cpu);
  int pick_idle(const CpuSet& cpus, bool whole_core);
  int select_cpu(Task& task, int prev_cpu, std::uint64_t wake_flags, const CpuSet& cpus);
  [[nodiscard]] bool core_is_idle(int cpu) const;

  Topology topology_;
  MachineOptions options_;
  Domains domains_;
  Observer* observer_;
  Observer nobody_;
  std::vector<std::unique_ptr<Task>> tasks_;  // by tid, from kFirstTid on
  std::deque<CpuState> cpus_;
  std::unordered_map<std::uint64_t, std::unique_ptr<DispatchQueue>> queues_;
  std::unordered_map<const void*, std::unique_ptr<std::byte[]>> arrays_;
  std::vector<std::unique_ptr<CpuSet>> masks_;  // that the dispatcher has made
  std::vector<Timer> timers_;
  std::unordered_map<const void*, std::size_t> timer_of_;
  std::vector<Event> events_;  // a heap
  std::map<std::uint64_t, std::function<void()>> calls_;
  CpuSet possible_;  // online at the beginning
  CpuSet online_;
  CpuSet active_;                // kernel/cpu.c, cpu_active_mask: online, and not about to go
  CpuSet idle_;                  // and not claimed
  std::vector<CpuSet> in_llc_;   // by LLC
  std::vector<CpuSet> in_node_;  // by node
  std::vector<CpuSet> in_core_;  // by core
  Exit exit_;
  std::vector<Task*> agents_;     // the first, by domain
  std::set<std::int32_t> links_;  // processes that keep the scheduler
  bool agent_called_ = false;
  Task* being_inserted_ = nullptr;
  unsigned kf_mask_ = kKfUnlocked;  // of the callback that this CPU is in
  DispatchQueue global_{kGlobalQueue};
  std::uint64_t nr_given_ = 0;
  Random random_;            // for interleave()
  std::vector<int> locked_;  // runqueues, by whoever is in a callback; the innermost last
  std::size_t nr_held_ = 0;  // the first of these: not by the innermost
  unsigned nr_nested_ = 0;   // events in the middle of others
  bool in_event_ = false;
  std::vector<std::function<void()>> later_;
  std::uint64_t now_ = 1'000'000'000;
  std::uint64_t late_kick_at_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t spent_ = 0;  // by the kernel, in what is being handled
  int this_cpu_ = 0;
  bool attached_ = false;
};

}  // namespace cppland::sim
