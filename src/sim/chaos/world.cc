// SPDX-License-Identifier: GPL-2.0-only
// world.cc - the machine, tasks and agent of a chaotic run.
#include "sim/chaos/world.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kernel/shared_rings.h"
#include "policies/table.h"
#include "sim/chaos/agent.h"
#include "sim/chaos/watch.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;

// A task that does what chance says: runs, sleeps, yields, waits to be woken, wakes others.
class Fickle final : public Behaviour {
 public:
  Fickle(std::uint64_t seed, bool exits) : random_(seed), exits_(exits) {}

  Step next(Machine& machine, Task& task) override {
    if (random_.one_in(4)) wake_somebody(machine, task, false);
    switch (random_.below(exits_ ? 40 : 39)) {
      case 39:
        return {Step::Kind::kExit, 0};
      case 38:
        return {Step::Kind::kYield, 0};
      case 36:
      case 37:  // hands over: a synchronous wake-up says that its waker is about to sleep
        wake_somebody(machine, task, true);
        return {Step::Kind::kBlock, 0};
      default:
        break;
    }
    if (random_.one_in(2)) return {Step::Kind::kSleep, 1 + random_.below(5 * kMs)};
    return {Step::Kind::kRun, 1 + random_.below(random_.one_in(8) ? 30 * kMs : kMs)};
  }

 private:
  void wake_somebody(Machine& machine, const Task& self, bool sync) {
    Task& other = *machine.tasks()[random_.below(machine.tasks().size())];
    if (&other != &self && !other.name.starts_with("agent")) machine.wake(other, sync);
  }

  Random random_;
  bool exits_;
};

class Hog final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    return {Step::Kind::kRun, 10'000 * kMs};
  }
};

class Sleeper final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    if (!std::exchange(has_slept_, true)) return {Step::Kind::kSleep, 600 * kMs};
    return {Step::Kind::kRun, 10'000 * kMs};
  }

 private:
  bool has_slept_ = false;
};

class Waker final : public Behaviour {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    sleeps_ = !sleeps_;
    if (sleeps_) return {Step::Kind::kSleep, 500 * kUs};
    return {Step::Kind::kRun, 20 * kUs};
  }

 private:
  bool sleeps_ = false;
};

class PerCpuThread final : public Behaviour {
 public:
  explicit PerCpuThread(std::uint64_t seed) : random_(seed) {}
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    sleeps_ = !sleeps_;
    if (sleeps_) return {Step::Kind::kSleep, 1 + random_.below(8 * kMs)};
    return {Step::Kind::kRun, 1 + random_.below(50 * kUs)};
  }

 private:
  Random random_;
  bool sleeps_ = false;
};

std::unique_ptr<Behaviour> behaviour_of(const ChaosTask& task) {
  switch (task.kind) {
    case ChaosTaskKind::kHog:
      return std::make_unique<Hog>();
    case ChaosTaskKind::kSleeper:
      return std::make_unique<Sleeper>();
    case ChaosTaskKind::kWaker:
      return std::make_unique<Waker>();
    case ChaosTaskKind::kPerCpuThread:
      return std::make_unique<PerCpuThread>(task.seed);
    case ChaosTaskKind::kFickle:
    case ChaosTaskKind::kMortal:
      break;
  }
  return std::make_unique<Fickle>(task.seed, task.kind == ChaosTaskKind::kMortal);
}

Topology topology_of(const ChaosPlan& plan) {
  std::vector<Cpu> cpus;
  for (unsigned id = 0; id < plan.nr_cpus; ++id) {
    Cpu cpu{.id = id, .core = id};
    const unsigned half = 2 * id / plan.nr_cpus;
    if (plan.shape == ChaosShape::kSmt) {
      cpu.core = id / 2;
      cpu.smt_rank = id % 2;
    }
    if (plan.shape == ChaosShape::kLlcs || plan.shape == ChaosShape::kNodes) cpu.llc = half;
    if (plan.shape == ChaosShape::kNodes) cpu.node = half;
    if (plan.shape == ChaosShape::kHybrid && half == 1) cpu.capacity = 400;
    cpus.push_back(cpu);
  }
  return Topology(std::move(cpus), plan.shape == ChaosShape::kHybrid);
}

const PolicyEntry* find_policy(const std::string& name) {
  for (const PolicyEntry& entry : policies::all())
    if (entry.name == name) return &entry;
  return nullptr;
}

class World {
 public:
  World(const ChaosPlan& plan, bool tells)
      : plan_(plan),
        watch_(plan),
        machine_(topology_of(plan),
                 {.timeout_ns = plan.timeout_us * kUs,
                  .late_ns = Watch::kLate,
                  .forget_ns = Watch::kForget,
                  .starve_ns = Watch::kStarve,
                  .trial_ns = Watch::kTrial,
                  .cpus_per_agent = plan.several_agents ? 1U : 0U,
                  .strict = plan.strict,
                  .percpu_local = plan.percpu_local,
                  .numa_local = plan.numa_local,
                  .interleave_percent = plan.interleave_percent,
                  .interleave_seed = plan.seed},
                 &watch_) {
    if (tells) watch_.tell_history();
  }

  std::string run() {
    for (TaskSpec& spec : make_agents(*find_policy(plan_.policy), Machine::shm().reign))
      agent_tasks_.push_back(&machine_.start_agent(std::move(spec)));
    watch_.expect(agent_tasks_);
    const std::uint64_t begin = machine_.now();
    for (const ChaosTask& task : plan_.tasks) {
      if (task.start_us == 0)
        start(task);
      else
        machine_.at(begin + task.start_us * kUs, [this, &task] { start(task); });
    }
    for (const ChaosStep& step : plan_.steps)
      machine_.at(begin + step.at_us * kUs, [this, &step] { disturb(step); });
    machine_.attach();
    watch_.begin(begin);
    // Piece by piece, to stop at the first thing that is wrong.
    for (std::uint64_t at = 0; at < plan_.duration_us && watch_.wrong().empty(); at += 1'000)
      machine_.run(begin + std::min(at + 1'000, plan_.duration_us) * kUs);
    if (watch_.wrong().empty()) watch_.look_back(machine_);
    return watch_.wrong();
  }

 private:
  // A process's agents, one for each domain.
  std::vector<TaskSpec> make_agents(const PolicyEntry& policy, std::uint32_t reign) {
    std::vector<TaskSpec> specs;
    for (std::uint32_t d = 0; d < machine_.domains().size(); ++d) {
      policies_.push_back(policy.make({.nr_cpus = plan_.nr_cpus}));
      auto agent = std::make_unique<ChaosAgent>(plan_, machine_, *policies_.back(), d, reign);
      agents_.push_back(agent.get());
      specs.push_back({.name = "agent", .behaviour = std::move(agent)});
    }
    return specs;
  }

  void upgrade(const ChaosStep& step) {
    if (!machine_.attached()) return;
    const auto policies = policies::all();
    std::vector<TaskSpec> specs =
        make_agents(policies[step.value % policies.size()], Machine::shm().reign + 1);
    const std::size_t before = machine_.tasks().size();
    if (step.value % 8 == 0) {
      for (std::size_t d = 0; d < specs.size(); ++d)
        agents_[agents_.size() - 1 - d]->disturb({.what = Disturbance::kStopAgent});
    }
    machine_.take_over(std::move(specs));
    std::vector<Task*> successors;
    for (std::size_t i = before; i < machine_.tasks().size(); ++i)
      successors.push_back(machine_.tasks()[i].get());
    agent_tasks_.insert(agent_tasks_.end(), successors.begin(), successors.end());
    watch_.expect(successors);
  }

  void start(const ChaosTask& task) {
    CpuSet cpus = *CpuSet::parse(task.cpus);
    for (const unsigned cpu : cpus)
      if (cpu >= plan_.nr_cpus) cpus.clear(cpu);
    watch_.started(machine_.start({.name = fmt::format("t{}", machine_.tasks().size()),
                                   .nice = task.nice,
                                   .cpus = cpus,
                                   .kernel_thread = task.kind == ChaosTaskKind::kPerCpuThread,
                                   .behaviour = behaviour_of(task)}),
                   task.kind);
  }

  // The task that a step is about; null if there is none.
  Task* task_of(const ChaosStep& step) {
    const auto& tasks = machine_.tasks();
    const std::size_t agents = machine_.domains().size();
    if (tasks.size() <= agents) return nullptr;
    Task* task = tasks[agents + step.task % (tasks.size() - agents)].get();
    const bool is_there = task->state != TaskState::kDead && !task->name.starts_with("agent");
    return is_there ? task : nullptr;
  }

  void disturb(const ChaosStep& step) {
    Task* task = task_of(step);
    watch_.note(name_of(step.what), task ? *task : *agent_tasks_.front(),
                static_cast<int>(step.value % plan_.nr_cpus), machine_.now());
    switch (step.what) {
      case Disturbance::kAffinity:
      case Disturbance::kNice:
      case Disturbance::kWake:
      case Disturbance::kLeaveClass:
      case Disturbance::kJoinClass:
        if (task) disturb_task(step, *task);
        return;
      case Disturbance::kOffline:
      case Disturbance::kOnline:
      case Disturbance::kSteal:
        disturb_cpu(step, static_cast<int>(step.value % plan_.nr_cpus));
        return;
      case Disturbance::kUpgrade:
        upgrade(step);
        return;
      default:
        for (ChaosAgent* agent : agents_) agent->disturb(step);
        if (step.what != Disturbance::kContinueAgent) return;
        for (Task* agent : agent_tasks_) machine_.wake(*agent);
    }
  }

  void disturb_task(const ChaosStep& step, Task& task) {
    watch_.disturbed(task);
    if (step.what == Disturbance::kNice) machine_.set_nice(task, static_cast<int>(step.value) - 20);
    if (step.what == Disturbance::kWake) machine_.wake(task);
    if (step.what == Disturbance::kLeaveClass) machine_.leave_class(task);
    if (step.what == Disturbance::kJoinClass) machine_.join_class(task);
    if (step.what != Disturbance::kAffinity || (task.task_struct::flags & PF_KTHREAD) != 0) return;
    const CpuSet cpus = *CpuSet::parse(step.cpus);
    if (!(cpus & machine_.active()).empty()) machine_.set_affinity(task, cpus);
  }

  void disturb_cpu(const ChaosStep& step, int cpu) {
    watch_.disturbed_cpus();
    if (step.what == Disturbance::kOnline) machine_.online(cpu);
    if (step.what == Disturbance::kSteal) machine_.steal(cpu, kMs + step.value % (4 * kMs));
    if (step.what == Disturbance::kOffline && machine_.active().count() > 1) machine_.offline(cpu);
  }

  const ChaosPlan& plan_;
  std::vector<std::unique_ptr<PolicyRunner>>
      policies_;  // of all processes, by domain; as what follows
  std::vector<ChaosAgent*> agents_;
  std::vector<Task*> agent_tasks_;
  Watch watch_;
  Machine machine_;
};

}  // namespace

std::string run_chaos(const ChaosPlan& plan, bool tells) {
  if (!find_policy(plan.policy)) return fmt::format("there is no policy '{}'", plan.policy);
  return World(plan, tells).run();
}

}  // namespace cppland::sim
