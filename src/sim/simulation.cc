// SPDX-License-Identifier: GPL-2.0-only
// simulation.cc - one run: a machine, a policy, a workload and a seed come to figures.
#include "sim/simulation.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "kernel/shared_rings.h"
#include "sim/agent_task.h"

namespace cppland::sim {
namespace {

// How often it is asked whether to go on, in the machine's time. Always the same, since it is part
// of the arithmetic: at each stop, what runs is charged.
constexpr std::uint64_t kPart = 100'000'000;

class RecordedStage final : public Stage {
 public:
  RecordedStage(Machine& machine, Recorder& recorder, std::uint64_t seed)
      : machine_(machine), recorder_(recorder), random_(seed) {}

  Task& start(Job job) override {
    const Program& program = *job.program;
    Task& task = machine_.start({.name = std::move(job.name),
                                 .nice = job.nice,
                                 .cpus = job.cpus,
                                 .behaviour = std::move(job.program)});
    recorder_.add(task, job.group, program);
    return task;
  }
  Machine& machine() noexcept override { return machine_; }
  Random& random() noexcept override { return random_; }

 private:
  Machine& machine_;
  Recorder& recorder_;
  Random random_;
};

MachineOptions machine_options(const Parameters& parameters, bool strict) {
  MachineOptions options = parameters.machine;
  options.costs = options.costs.scaled(parameters.cost_percent);
  options.slice_ns = parameters.policy.slice_min_ns;
  options.sleeper_credit_ns = parameters.policy.slice_ns;
  options.strict |= strict;
  return options;
}

// Whether the run has come to its end, be it that the kernel has ended the scheduler.
bool run(Machine& machine, std::uint64_t duration, const TraceWriter* trace, const GoOn& go_on) {
  const std::uint64_t begin = machine.now();
  std::uint64_t done = 0;
  while (done < duration && machine.exit().kind == Exit::kNone) {
    done = std::min(done + kPart, duration);
    machine.run(begin + done);
    if (trace && trace->failed()) return false;
    if (go_on && !go_on(static_cast<double>(done) / static_cast<double>(duration))) return false;
  }
  return true;
}

void put_machine(const Machine& machine, const std::vector<const Task*>& agents,
                 std::uint64_t begin, RunFigures& run) {
  const auto count = [](cppland_counter which) { return counter(Machine::shm(), which); };
  run.seconds = static_cast<double>(machine.now() - begin) / 1e9;
  const double available = run.seconds * run.cpus;
  if (available > 0) {
    run.throughput = run.all.cpu_seconds / available;
    for (const Task* agent : agents)
      run.agent_share += static_cast<double>(agent->se.sum_exec_runtime) / 1e9 / available;
  }
  run.decisions = count(CPPLAND_NR_USER_DISPATCHES);
  run.kernel_dispatches = count(CPPLAND_NR_KERNEL_DISPATCHES);
  run.events = count(CPPLAND_NR_EVENTS);
  run.failovers = count(CPPLAND_NR_FAILOVERS);
  run.exit = machine.exit();
}

}  // namespace

Result<RunFigures> simulate(const Simulation& simulation, Workload& workload, TraceWriter* trace,
                            const GoOn& go_on) {
  const unsigned cpus = simulation.topology.nr_online();
  PolicyConfig config = simulation.parameters.policy;
  config.nr_cpus = cpus;
  const bool strict = simulation.policy.make(config)->strict();
  Recorder recorder(trace);
  Machine machine(simulation.topology, machine_options(simulation.parameters, strict), &recorder);
  std::vector<std::unique_ptr<PolicyRunner>> policies;
  std::vector<const Task*> agents;
  for (const std::vector<unsigned>& domain : machine.domains()) {
    config.nr_cpus = static_cast<std::uint32_t>(domain.size());
    policies.push_back(simulation.policy.make(config));
    agents.push_back(&machine.start_agent(
        {.name = "agent",
         .behaviour = std::make_unique<AgentTask>(
             machine, *policies.back(),
             simulation.parameters.agent.scaled(simulation.parameters.cost_percent),
             static_cast<std::uint32_t>(agents.size()))}));
  }
  RecordedStage stage(machine, recorder, simulation.seed);
  workload.begin(stage);
  const std::uint64_t begin = machine.now();
  recorder.begin(begin);
  if (trace) trace->begin(machine, simulation.policy.name, simulation.workload);
  machine.attach();
  if (!sim::run(machine, simulation.duration_ns, trace, go_on))
    return error(ECANCELED, "simulating {}", simulation.workload);
  if (trace) trace->end(machine.now());
  RunFigures run{.policy = std::string(simulation.policy.name),
                 .workload = simulation.workload,
                 .cpus = cpus,
                 .seed = simulation.seed};
  recorder.finish(machine, run);
  put_machine(machine, agents, begin, run);
  return run;
}

}  // namespace cppland::sim
