// SPDX-License-Identifier: GPL-2.0-only
// parameters.cc - what can be set of a simulated machine and its scheduler, by name.
#include "sim/parameters.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kMostCost = 1'000'000;  // ns
// See kernel/sim/costs.h and sim/agent_task.h.
constexpr std::string_view kChosen = "chosen: a common value";
constexpr std::string_view kMeasured = "calibrated with Linux 7.3.4 in a virtual machine";

template <auto Member>
std::uint64_t& cost(Parameters& parameters) {
  return parameters.machine.costs.*Member;
}

template <auto Member>
std::uint64_t& agent_cost(Parameters& parameters) {
  return parameters.agent.*Member;
}

template <auto Member>
std::uint64_t& policy(Parameters& parameters) {
  return parameters.policy.*Member;
}

template <auto Member>
std::uint64_t& machine(Parameters& parameters) {
  return parameters.machine.*Member;
}

std::uint64_t& cost_percent(Parameters& parameters) { return parameters.cost_percent; }

constexpr std::array kAll{
    Parameter{"slice-us", "how far a sleeper may fall behind, and a CPU hog drift back",
              "scx_cppland --slice-us", kMicrosecond, 1, 1'000'000,
              policy<&PolicyConfig::slice_ns>},
    Parameter{"slice-us-min",
              "slice of a task of weight 100, and of tasks that are placed without the policy",
              "scx_cppland --slice-us-min", kMicrosecond, 1, 1'000'000,
              policy<&PolicyConfig::slice_min_ns>},
    Parameter{"tick-us", "between two timer ticks of a CPU", "CONFIG_HZ=250", kMicrosecond, 100,
              100'000, machine<&MachineOptions::tick_ns>},
    Parameter{"timeout-ms", "the kernel watchdog's", "SCX_TIMEOUT_MS of scx_cppland", kMillisecond,
              1'000, 30'000, machine<&MachineOptions::timeout_ns>},
    Parameter{"timer-interrupt-ns", "an interrupt of a CPU's timer", kMeasured, 1, 0, kMostCost,
              cost<&Costs::timer_interrupt>},
    Parameter{"wake-up-ns", "a task wakes up: a CPU is chosen, and the task queued", kMeasured, 1,
              0, kMostCost, cost<&Costs::wake_up>},
    Parameter{"wake-call-ns", "the rest of the call by which a task wakes another, for the caller",
              kMeasured, 1, 0, kMostCost, cost<&Costs::wake_call>},
    Parameter{"dispatch-ns", "a CPU looks for work", kMeasured, 1, 0, kMostCost,
              cost<&Costs::dispatch>},
    Parameter{"context-switch-ns", "a CPU changes from one task to another", kMeasured, 1, 0,
              kMostCost, cost<&Costs::context_switch>},
    Parameter{"migration-ns", "the same, once more, when the task last ran on another CPU",
              kMeasured, 1, 0, kMostCost, cost<&Costs::migration>},
    Parameter{"cold-cache-ns", "the same, once more, when that has another last level of cache",
              kMeasured, 1, 0, kMostCost, cost<&Costs::cold_cache>},
    Parameter{"interrupt-to-cpu-ns", "from one CPU's call to another's reaction", kMeasured, 1, 0,
              kMostCost, cost<&Costs::interrupt_to_cpu>},
    Parameter{"exit-ns", "a task that ends, from its last own instruction", kChosen, 1, 0,
              kMostCost, cost<&Costs::exit>},
    Parameter{"smt-percent", "how fast a task is whose core runs another one, too", kChosen, 1, 1,
              100, cost<&Costs::smt_percent>},
    Parameter{"agent-pass-ns", "a pass of the agent, with the system call that ends it", kMeasured,
              1, 100, kMostCost, agent_cost<&AgentCosts::pass>},
    Parameter{"agent-event-ns", "the agent takes in one event", kMeasured, 1, 0, kMostCost,
              agent_cost<&AgentCosts::event>},
    Parameter{"agent-decision-ns", "the agent makes one decision", kMeasured, 1, 0, kMostCost,
              agent_cost<&AgentCosts::decision>},
    Parameter{"cost-percent",
              "the kernel's and the agent's work costs so much of what stands above", kChosen, 1, 1,
              10'000, cost_percent},
};

std::string names() {
  std::string text;
  for (const Parameter& parameter : kAll) {
    if (!text.empty()) text += ", ";
    text += parameter.name;
  }
  return text;
}

}  // namespace

std::uint64_t Parameter::default_value() const {
  Parameters defaults;
  return in(defaults) / unit_ns;
}

std::span<const Parameter> all_parameters() { return kAll; }

Result<void> set_parameter(Parameters& parameters, std::string_view setting) {
  const std::size_t equals = setting.find('=');
  const std::string_view name = setting.substr(0, equals);
  if (equals == std::string_view::npos)
    return error(EINVAL, "\"{}\" is not of the form NAME=VALUE", setting);
  const auto* const found = std::ranges::find(kAll, name, &Parameter::name);
  if (found == kAll.end())
    return error(EINVAL, "there is no parameter \"{}\"; there are {}", name, names());
  const auto value = parse_int<std::uint64_t>(setting.substr(equals + 1));
  if (!value || *value < found->least || *value > found->most)
    return error(EINVAL, "{}: \"{}\" is no number from {} to {}", name, setting.substr(equals + 1),
                 found->least, found->most);
  found->in(parameters) = *value * found->unit_ns;
  return {};
}

}  // namespace cppland::sim
