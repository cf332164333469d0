// SPDX-License-Identifier: GPL-2.0-only
// parameters.h - what can be set of a simulated machine and its scheduler, by name.
#pragma once

#include <cppland/policy.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "kernel/sim/machine.h"
#include "sim/agent_task.h"

namespace cppland::sim {

struct Parameters {
  PolicyConfig policy{};  // but for nr_cpus
  MachineOptions machine{};
  AgentCosts agent{};
  std::uint64_t cost_percent = 100;  // of what the kernel's and the agent's work costs
};

// One of them. Its name ends in its unit.
struct Parameter {
  std::string_view name;
  std::string_view summary;
  std::string_view source;  // of the default
  std::uint64_t unit_ns;
  std::uint64_t least;  // in units
  std::uint64_t most;
  std::uint64_t& (*in)(Parameters& parameters);  // in ns

  [[nodiscard]] std::uint64_t default_value() const;  // in units
};

[[nodiscard]] std::span<const Parameter> all_parameters();

// Sets what "name=value" says. An error tells which names or values there are.
[[nodiscard]] Result<void> set_parameter(Parameters& parameters, std::string_view setting);

}  // namespace cppland::sim
