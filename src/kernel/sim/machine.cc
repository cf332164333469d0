// SPDX-License-Identifier: GPL-2.0-only
// machine.cc - time on the modelled machine: timers, ticks, and the steps of tasks.
#include "kernel/sim/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kernel/domain_tables.h"
#include "kernel/shared_rings.h"
#include "kernel/sim/dispatcher.h"

namespace cppland::sim {
namespace {

constexpr std::int32_t kFirstTid = 100;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kFullSpeed = Cpu::kFullCapacity;

Machine* the_machine = nullptr;  // NOLINT(*-non-const-global-variables): see Machine::current()

// kernel/sched/core.c, sched_prio_to_weight[]: of nice -20 to 19.
constexpr std::array<std::uint32_t, 40> kPrioToWeight{
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,  //
    9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,   //
    1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,    //
    110,   87,    70,    56,    45,    36,    29,    23,    18,    15,
};

// kernel/sched/core.c, set_load_weight(), which calls ext.c, reweight_task_scx(); that makes it a
// weight of 100 by kernel/sched/sched.h, sched_weight_to_cgroup(). REQUIRES: nice is in -20 to 19.
std::uint32_t weight_of(int nice) {
  constexpr std::uint32_t kNiceZero = 1024;
  constexpr int kLeastNice = -20;
  const auto place = static_cast<unsigned>(nice - kLeastNice);
  const std::uint32_t weight = kPrioToWeight.at(place);
  return std::clamp((weight * 100 + kNiceZero / 2) / kNiceZero, 1U, 10000U);
}

}  // namespace

Machine::CpuState::CpuState(int cpu, const Cpu* of_topology)
    : id(cpu), info(of_topology), local(SCX_DSQ_LOCAL_ON | static_cast<std::uint64_t>(cpu)) {}

Machine::Machine(Topology topology, const MachineOptions& options, Observer* observer)
    : topology_(std::move(topology)),
      options_(options),
      domains_(options.cpus_per_agent == 0
                   ? one_domain(topology_)
                   : llc_domains(topology_, static_cast<unsigned>(options.cpus_per_agent),
                                 CPPLAND_MAX_DOMAINS)),
      observer_(observer ? observer : &nobody_),
      random_(options.interleave_seed) {
  the_machine = this;
  reset_dispatcher();
  sim_kernel_has = options_.has;
  for (unsigned id = 0; id < topology_.nr_cpu_ids(); ++id)
    cpus_.emplace_back(static_cast<int>(id), topology_.find(id));
  const auto [least, most] = std::ranges::minmax(topology_.cpus(), {}, &Cpu::capacity);
  const auto note = [](std::vector<CpuSet>& sets, unsigned of, unsigned cpu) {
    if (sets.size() <= of) sets.resize(of + 1);
    sets[of].set(cpu);
  };
  for (const Cpu& cpu : topology_.cpus()) {
    dispatcher().cpu_is_big[cpu.id] = 2 * cpu.capacity >= least.capacity + most.capacity;
    if (!cpu.online) continue;
    online_.set(cpu.id);
    note(in_llc_, cpu.llc, cpu.id);
    note(in_node_, cpu.node, cpu.id);
    note(in_core_, cpu.core, cpu.id);
  }
  possible_ = active_ = online_;
  *dispatcher().nr_cpu_ids = topology_.nr_cpu_ids();
  *dispatcher().hybrid = topology_.hybrid();
  *dispatcher().agent_sleeps = options_.agent_sleeps;
  *dispatcher().percpu_local = options_.percpu_local;
  *dispatcher().numa_local = options_.numa_local;
  *dispatcher().slice_ns = options_.slice_ns;
  *dispatcher().sleeper_credit_ns = options_.sleeper_credit_ns;
  if (options_.late_ns != 0) *dispatcher().late_ns = options_.late_ns;
  if (options_.forget_ns != 0) *dispatcher().forget_ns = options_.forget_ns;
  if (options_.starve_ns != 0) *dispatcher().starve_ns = options_.starve_ns;
  *dispatcher().starve_ns =
      std::min<std::uint64_t>(*dispatcher().starve_ns, options_.timeout_ns / 2);
  *dispatcher().heartbeat_ns = std::min<std::uint64_t>(kSecond, options_.timeout_ns / 4);
  *dispatcher().exit_dump_len = 0;
  *dispatcher().ask_always = options_.strict;
  if (options_.trial_ns != 0) *dispatcher().trial_ns = options_.trial_ns;
  fill({.nr_cpus = *dispatcher().nr_cpus,
        .nr_domains = *dispatcher().nr_domains,
        .domain_mask = *dispatcher().domain_mask,
        .domain_of_cpu = dispatcher().domain_of_cpu,
        .cpu_by_domain = dispatcher().cpu_by_domain,
        .domain_begin = dispatcher().domain_begin},
       domains_);
  format(shm(), topology_.nr_cpu_ids(), static_cast<std::uint32_t>(domains_.size()));
  std::fill_n(dispatcher().channels, nr_channels(domains_.size()), cppland_channel{});
}

Machine::~Machine() {
  for (const auto& task : tasks_) {
    if (task->queue) task->queue->remove(*task);
  }
  the_machine = nullptr;
}

Machine& Machine::current() { return *the_machine; }

cppland_shm& Machine::shm() noexcept { return *dispatcher().shm; }

cppland_channel& Machine::channel(std::size_t domain) noexcept {
  return channel(domain, shm().reign);
}

cppland_channel& Machine::channel(std::size_t domain, std::uint32_t reign) noexcept {
  return dispatcher().channels[channel_of(shm().nr_domains, domain, reign)];
}

Task* Machine::task_of(std::uint64_t tid) noexcept {
  const std::uint64_t i = tid - kFirstTid;
  return i < tasks_.size() ? tasks_[i].get() : nullptr;
}

Task& Machine::add(TaskSpec spec) {
  auto owned = std::make_unique<Task>();
  Task& task = *owned;
  task.name = std::move(spec.name);
  task.behaviour = std::move(spec.behaviour);
  task.pid = kFirstTid + static_cast<std::int32_t>(tasks_.size());
  task.tgid = task.pid;
  task.task_struct::flags = spec.kernel_thread ? PF_KTHREAD : 0;
  task.numa_preferred_nid = -1;
  task.nice = spec.nice;
  task.scx.weight = weight_of(spec.nice);
  task.allowed = spec.cpus.empty() ? online_ : spec.cpus;
  // The model's masks are CpuSets; the dispatcher hands them back and never looks inside.
  task.cpus_ptr = reinterpret_cast<const cpumask*>(&task.allowed);
  task.nr_cpus_allowed = static_cast<std::int32_t>(task.allowed.count());
  task.on_cpu = static_cast<int>(task.allowed.first());
  task.name.copy(task.comm, sizeof(task.comm) - 1);
  tasks_.push_back(std::move(owned));
  return task;
}

Task& Machine::start(TaskSpec spec) {
  Task& task = add(std::move(spec));
  if (attached_) {
    task.state = TaskState::kWaiting;  // core.c, TASK_NEW: nobody else wakes it
    call(kKfUnlocked, [&] { dispatcher().ops->init_task(&task, nullptr); });
    wake_up(task, 0, true);
  }
  return task;
}

Task& Machine::add_agent(TaskSpec spec, std::vector<Task*>& process) {
  spec.cpus = possible_;  // though some may be offline by now
  if (domains_.size() > 1) {
    spec.cpus = {};
    for (const unsigned cpu : domains_[process.size()])
      if (topology_.find(cpu)->online) spec.cpus.set(cpu);
  }
  Task& task = add(std::move(spec));
  process.push_back(&task);
  task.tgid = process.front()->tgid;
  return task;
}

Task& Machine::start_agent(TaskSpec spec) {
  Task& task = add_agent(std::move(spec), agents_);
  dispatcher().agent_tid[agents_.size() - 1] = task.pid;
  *dispatcher().agent_tgid = task.tgid;
  links_.insert(task.tgid);
  return task;
}

int Machine::take_over(std::vector<TaskSpec> specs) {
  std::vector<Task*> successors;
  for (TaskSpec& spec : specs) {
    Task& task = add_agent(std::move(spec), successors);
    call(kKfUnlocked, [&] { dispatcher().ops->init_task(&task, nullptr); });
  }
  cppland_agents next{.version = CPPLAND_ABI_VERSION,
                      .reign = shm().reign,
                      .tgid = successors.front()->tgid,
                      .nr_domains = shm().nr_domains,
                      .flags = 0,
                      .reserved = 0,
                      .slice_ns = *dispatcher().slice_ns,
                      .sleeper_credit_ns = *dispatcher().sleeper_credit_ns,
                      .late_ns = *dispatcher().late_ns,
                      .forget_ns = *dispatcher().forget_ns,
                      .rescue_every_ns = *dispatcher().rescue_every_ns,
                      .starve_ns = *dispatcher().starve_ns,
                      .tid = {}};
  std::ranges::transform(successors, std::begin(next.tid),
                         [](const Task* task) { return task->pid; });
  if (options_.strict) next.flags |= CPPLAND_AGENTS_ASK_ALWAYS;
  if (options_.percpu_local) next.flags |= CPPLAND_AGENTS_PERCPU_LOCAL;
  const int err = call(kKfUnlocked, [&] { return dispatcher().succeed(&next); });
  if (err == 0) links_.insert(next.tgid);
  for (Task* task : successors) {
    task->state = TaskState::kWaiting;
    wake_up(*task, 0, true);
  }
  return err;
}

void Machine::attach() {
  attached_ = true;
  if (const s32 err = call(kKfUnlocked, [] { return dispatcher().ops->init(); }); err != 0) {
    end_scheduler(Exit::kError, fmt::format("ops.init() failed ({})", err));
    return;
  }
  for (CpuState& cpu : cpus_) {
    if (!online_.test(static_cast<unsigned>(cpu.id))) continue;
    cpu.runs_idle_thread = true;
    go_idle(cpu);
  }
  const std::size_t n = tasks_.size();
  for (std::size_t i = 0; i < n; ++i) dispatcher().ops->init_task(tasks_[i].get(), nullptr);
  for (std::size_t i = 0; i < n; ++i) wake_up(*tasks_[i], 0, true);
  post(now_ + options_.timeout_ns / 2, Event::Kind::kWatchdog, 0);
}

void Machine::detach() { end_scheduler(Exit::kUnregistered, "unregistered from user space"); }

void Machine::at(std::uint64_t when, std::function<void()> what) {
  calls_.emplace(order_, std::move(what));
  post(when, Event::Kind::kCall, order_);
}

// --- events ---

void Machine::post(std::uint64_t at, Event::Kind kind, std::uint64_t which, std::uint64_t version) {
  events_.push_back({at, order_++, kind, which, version});
  std::ranges::push_heap(events_, std::greater{});
}

void Machine::run(std::uint64_t until) {
  while (!events_.empty() && events_.front().at <= until && exit_.kind == Exit::kNone) {
    std::ranges::pop_heap(events_, std::greater{});
    const Event event = events_.back();
    events_.pop_back();
    now_ = std::max(now_, event.at);
    spent_ = 0;
    in_event_ = true;
    handle(event);
    do_later(0);
    in_event_ = false;
    observer_->settled(*this);
  }
  if (exit_.kind != Exit::kNone) return;
  now_ = std::max(now_, until);
  for (CpuState& cpu : cpus_) {
    if (cpu.task) charge(cpu);
  }
}

void Machine::handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kWake: {
      Task& task = *task_of(event.which);
      if (event.version != task.sleep || task.state != TaskState::kBlocked) return;
      this_cpu_ =
          online_.test(static_cast<unsigned>(task.on_cpu)) ? task.on_cpu : fallback_cpu(task);
      spent_ += options_.costs.timer_interrupt;
      wake_up(task, 0, false);
      interrupt(cpus_[index(this_cpu_)], spent_);
      return;
    }
    case Event::Kind::kStop: {
      CpuState& cpu = cpus_[event.which];
      this_cpu_ = cpu.id;
      if (event.version == cpu.stop) on_stop(cpu);
      return;
    }
    case Event::Kind::kTick:
      on_tick(cpus_[event.which]);
      return;
    case Event::Kind::kResched: {
      CpuState& cpu = cpus_[event.which];
      this_cpu_ = cpu.id;
      if (cpu.resched) schedule(cpu);
      return;
    }
    case Event::Kind::kTimer:
      on_timer(event.which, event.version);
      return;
    case Event::Kind::kWatchdog:
      on_watchdog();
      return;
    case Event::Kind::kReturn:
      this_cpu_ = static_cast<int>(event.which);
      if (!is_stolen(this_cpu_)) reschedule(this_cpu_, false);
      return;
    case Event::Kind::kOffline:
      try_to_go(cpus_[event.which]);
      return;
    case Event::Kind::kCall: {
      // Whoever calls does so from a CPU that is online.
      if (!online_.test(static_cast<unsigned>(this_cpu_)))
        this_cpu_ = static_cast<int>(online_.first());
      const auto call = calls_.find(event.which);
      const auto what = std::move(call->second);
      calls_.erase(call);
      what();
      return;
    }
  }
}

void Machine::on_timer(std::uint64_t which, std::uint64_t version) {
  Timer& timer = timers_[which];
  if (timer.version != version) return;
  // kernel/time/hrtimer.c, migrate_hrtimer_list(): a CPU that goes leaves its timers to another.
  if (!online_.test(static_cast<unsigned>(timer.cpu)))
    timer.cpu = static_cast<int>(online_.first());
  this_cpu_ = timer.cpu;
  spent_ += options_.costs.timer_interrupt;
  using Callback = int (*)(void*, u32*, void*);
  reinterpret_cast<Callback>(timer.callback)(timer.map, &timer.key, timer.element);
  interrupt(cpus_[index(timer.cpu)], spent_);
}

// kernel/sched/ext.c, task_tick_scx(): a slice that is used up is noticed by the tick.
void Machine::on_tick(CpuState& cpu) {
  if (!cpu.task) {  // CONFIG_NO_HZ: an idle CPU has none
    cpu.ticking = false;
    return;
  }
  this_cpu_ = cpu.id;
  charge(cpu);
  if (cpu.task->scx.slice == 0) reschedule(cpu.id, false);
  post(now_ + options_.tick_ns, Event::Kind::kTick, static_cast<std::uint64_t>(cpu.id));
}

// kernel/sched/ext.c, check_rq_for_timeouts().
void Machine::on_watchdog() {
  for (const auto& task : tasks_) {
    if (task->state == TaskState::kWaiting && now_ > task->runnable_since + options_.timeout_ns) {
      end_scheduler(Exit::kStall, fmt::format("{}[{}] failed to run for {}.{:03}s", task->name,
                                              task->pid, (now_ - task->runnable_since) / kSecond,
                                              (now_ - task->runnable_since) / 1'000'000 % 1000));
      return;
    }
  }
  post(now_ + options_.timeout_ns / 2, Event::Kind::kWatchdog, 0);
}

// --- CPU time ---

// kernel/sched/ext.c, update_curr_scx().
void Machine::charge(CpuState& cpu) {
  Task& task = *cpu.task;
  const std::uint64_t delta = now_ - std::min(now_, cpu.charged_at);
  task.se.sum_exec_runtime += delta;
  task.scx.slice -= std::min<std::uint64_t>(task.scx.slice, delta);
  const std::uint64_t from = std::max(cpu.charged_at, cpu.works_from);
  cpu.charged_at = std::max(cpu.charged_at, now_);
  if (now_ <= from) return;
  task.work_left -= std::min(task.work_left, (now_ - from) * speed(cpu) / kFullSpeed);
}

// Of kFullSpeed: how fast a task runs here now.
std::uint64_t Machine::speed(const CpuState& cpu) const noexcept {
  const std::uint64_t alone = cpu.info->capacity;
  return cpu.busy_sibling ? alone * options_.costs.smt_percent / 100 : alone;
}

// Whoever shares a core with @cpu is slower while a task runs there.
void Machine::note_siblings(CpuState& cpu) {
  if (!topology_.smt()) return;
  const CpuSet& core = in_core_[cpu.info->core];
  for (const unsigned id : core) {
    CpuState& sibling = cpus_[id];
    bool busy = false;
    for (const unsigned other : core) busy = busy || (other != id && cpus_[other].task);
    if (sibling.busy_sibling == busy) continue;
    if (sibling.task) charge(sibling);
    sibling.busy_sibling = busy;
    if (sibling.task) plan_stop(sibling);
  }
}

// The kernel takes @ns from what runs on @cpu.
void Machine::interrupt(CpuState& cpu, std::uint64_t ns) {
  if (!cpu.task) return;
  charge(cpu);
  cpu.works_from = std::max(cpu.works_from, now_) + ns;
  plan_stop(cpu);
}

void Machine::plan_stop(CpuState& cpu) {
  const std::uint64_t rate = speed(cpu);
  const std::uint64_t needs = (cpu.task->work_left * kFullSpeed + rate - 1) / rate;
  post(std::max(now_, cpu.works_from) + needs, Event::Kind::kStop,
       static_cast<std::uint64_t>(cpu.id), ++cpu.stop);
}

// A task's step is done: it takes the next ones, until one needs time.
void Machine::on_stop(CpuState& cpu) {
  Task& task = *cpu.task;
  charge(cpu);
  if (task.work_left > 0) {
    plan_stop(cpu);
    return;
  }
  const Step step = (task.task_struct::flags & kExiting) != 0 ? Step{Step::Kind::kExit, 0}
                                                              : task.behaviour->next(*this, task);
  switch (step.kind) {
    case Step::Kind::kRun:
      task.work_left = std::max<std::uint64_t>(step.ns, 1);
      interrupt(cpu, spent_);
      return;
    case Step::Kind::kYield:
      // kernel/sched/ext.c, yield_task_scx().
      task.scx.slice = 0;
      reschedule(cpu.id, false);
      return;
    case Step::Kind::kSleep:
      post(now_ + step.ns, Event::Kind::kWake, static_cast<std::uint64_t>(task.pid), ++task.sleep);
      [[fallthrough]];
    case Step::Kind::kBlock:
      task.state = TaskState::kBlocked;
      break;
    case Step::Kind::kExit:
      // kernel/exit.c, do_exit(): it has some way to go yet.
      if ((task.task_struct::flags & kExiting) == 0) {
        task.task_struct::flags |= kExiting;
        task.work_left = std::max<std::uint64_t>(options_.costs.exit, 1);
        interrupt(cpu, spent_);
        return;
      }
      task.state = TaskState::kDead;
      break;
  }
  task.scx.flags &= ~static_cast<u32>(SCX_TASK_QUEUED);
  cpu.resched = true;
  schedule(cpu);
}

std::uint64_t Machine::idle_ns(int cpu) const noexcept {
  const CpuState& state = cpus_[index(cpu)];
  return state.idle_ns + (state.idle ? now_ - state.idle_since : 0);
}

std::uint64_t Machine::idle_for(int cpu) const noexcept {
  const CpuState& state = cpus_[index(cpu)];
  const bool usable = active_.test(static_cast<unsigned>(cpu)) && !is_stolen(cpu);
  return usable && state.idle ? now_ - std::max(state.idle_since, state.stolen_until) : 0;
}

// Around a change of what a task is: kernel/sched/core.c, set_user_nice() and
// __do_set_cpus_allowed(), which take it out and put it in anew where it is. One that waits is
// enqueued; of one that runs ops.running() hears once more (ext.c, enqueue_task_scx() and
// set_next_task_scx()), on the CPU of whoever changes it.
void Machine::change(Task& task, const std::function<void()>& what) {
  const bool waits = task.state == TaskState::kWaiting;
  if (!attached_ || (!waits && task.state != TaskState::kRunning)) {
    what();
    return;
  }
  if (waits) {
    take_out(task);
    what();
    enqueue(task, 0);
    return;
  }
  charge(cpu_of(task));
  what();
  call(kKfRest, [&] { dispatcher().ops->running(&task); });
}

void Machine::set_nice(Task& task, int nice) {
  if (is_held(task.on_cpu)) {
    later([this, &task, nice] { set_nice(task, nice); });
    return;
  }
  change(task, [&] {
    task.nice = nice;
    task.scx.weight = weight_of(nice);
  });
}

// kernel/sched/core.c, affine_move_task(): one that is where it may not be any more is moved.
void Machine::set_affinity(Task& task, const CpuSet& cpus) {
  if (is_held(task.on_cpu)) {
    later([this, &task, cpus] { set_affinity(task, cpus); });
    return;
  }
  change(task, [&] {
    task.allowed = cpus;
    task.nr_cpus_allowed = static_cast<std::int32_t>(cpus.count());
  });
  if (!attached_) {
    task.on_cpu = fallback_cpu(task);
    return;
  }
  if (task.allowed.test(static_cast<unsigned>(task.on_cpu))) return;
  if (task.state == TaskState::kRunning) {
    // migration_cpu_stop(): the stopper takes the CPU from it.
    CpuState& cpu = cpu_of(task);
    take_off(task);
    release(cpu);
    move_queued(task);
  } else if (task.state == TaskState::kWaiting) {
    move_queued(task);
  }
}

// ext.c, dequeue_task_scx().
void Machine::take_out(Task& task) {
  if (task.queue) task.queue->remove(task);
  task.given = 0;
}

// Takes a task from where it runs or waits.
void Machine::take_off(Task& task) {
  take_out(task);
  if (task.state != TaskState::kRunning) return;
  CpuState& cpu = cpu_of(task);
  charge(cpu);
  observer_->ended(task, cpu.id, now_);
  cpu.task = nullptr;
  ++cpu.stop;
  task.state = TaskState::kWaiting;
  task.runnable_since = now_;
  go_idle(cpu);
  reschedule(cpu.id, cpu.id != this_cpu_);
}

// kernel/sched/core.c, move_queued_task(): to a CPU where it may be.
void Machine::move_queued(Task& task) {
  take_out(task);
  task.on_cpu = fallback_cpu(task);
  enqueue(task, 0);
  // wakeup_preempt().
  if (task.queue && !cpu_of(task).task) reschedule(task.on_cpu, task.on_cpu != this_cpu_);
}

void Machine::wake(Task& task, bool sync) {
  if (task.state != TaskState::kBlocked) return;
  // kernel/sched/core.c, try_to_wake_up(): not before its CPU has switched to another.
  if (is_held(task.ran_on) && running_on(task.ran_on) == &task) {
    later([this, &task, sync] { wake(task, sync); });
    return;
  }
  ++task.sleep;
  constexpr std::uint64_t kWakeSync = 0x10;  // SCX_WAKE_SYNC
  wake_up(task, sync ? kWakeSync : 0, false);
  spent_ += options_.costs.wake_call;
}

}  // namespace cppland::sim
