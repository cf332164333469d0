// SPDX-License-Identifier: GPL-2.0-only
// agent.h - the loop: drain events, let the policy decide, hand over, give the CPU back.
#pragma once

#include <abi/cppland_abi.h>
#include <cppland/policy_host.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "kernel/kernel.h"

namespace cppland {

// After the constructor: no allocation, no lock, no exception, no system call but Kernel::park().
// Does not own the kernel and the policy, which must outlive it.
class Agent {
 public:
  Agent(Kernel& kernel, PolicyRunner& policy, std::uint32_t domain = 0);

  // Decides until @stop is set, the kernel has let go of the dispatcher, or another agent has taken
  // over for good.
  void run(const std::atomic<bool>& stop) noexcept;

  // One pass: everything that has arrived is taken in and decided. Ends by giving up the CPU.
  void pass() noexcept;

 private:
  void hand_over(std::size_t n) noexcept;

  Kernel& kernel_;
  PolicyRunner& policy_;
  std::uint32_t domain_;  // that it decides for
  std::vector<cppland_event> events_;
  std::vector<cppland_decision> decisions_;
};

}  // namespace cppland
