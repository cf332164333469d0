// SPDX-License-Identifier: GPL-2.0-only
// agent.cc - the loop: drain events, let the policy decide, hand over, give the CPU back.
#include "agent/agent.h"

namespace cppland {
namespace {

// As much as the dispatcher tells of at once.
constexpr std::size_t kBatch = 128;

}  // namespace

Agent::Agent(Kernel& kernel, PolicyRunner& policy, std::uint32_t domain)
    : kernel_(kernel), policy_(policy), domain_(domain), events_(kBatch), decisions_(kBatch) {}

void Agent::run(const std::atomic<bool>& stop) noexcept {
  while (!stop.load(std::memory_order_relaxed) && kernel_.attached()) {
    if (kernel_.in_charge())
      pass();
    else
      kernel_.stand_by();
  }
}

void Agent::pass() noexcept {
  const Moment moment{
      .now_ns = kernel_.now_ns(), .waiting = kernel_.nr_waiting(), .nr_cpus = kernel_.nr_online()};
  // Everybody who waits is known to the policy before it decides for the first of them; but nobody
  // waits for ever because events do not end.
  for (std::size_t batches = CPPLAND_EVENT_SLOTS / kBatch; batches > 0; --batches) {
    const std::size_t n = kernel_.read_events(events_);
    if (n == 0) break;
    hand_over(policy_.take({events_.data(), n}, moment, decisions_));
  }
  while (const std::size_t n = policy_.decide(moment, decisions_)) hand_over(n);
  kernel_.park(policy_.waiting());
}

// What finds no room is dropped: the dispatcher holds the tasks, and asks again or serves them
// itself.
void Agent::hand_over(std::size_t n) noexcept {
  const std::span decisions(decisions_.data(), n);
  for (cppland_decision& decision : decisions) decision.domain = domain_;
  kernel_.write_decisions(decisions);
}

}  // namespace cppland
