// SPDX-License-Identifier: GPL-2.0-only
// sim_kernel.h - the agent's view of the modelled kernel.
#pragma once

#include "kernel/kernel.h"
#include "kernel/shared_rings.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// Does not own the machine. What the agent's work costs is for its Behaviour to say.
class SimKernel : public Kernel {
 public:
  // For the agent that decides for @domain in @reign.
  explicit SimKernel(Machine& machine, std::uint32_t domain = 0,
                     std::uint32_t reign = Machine::shm().reign)
      : machine_(&machine), channel_(&Machine::channel(domain, reign)), rings_(*channel_) {}

  [[nodiscard]] bool attached() const noexcept override { return machine_->attached(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return machine_->now(); }
  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return rings_.nr_waiting(); }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return rings_.nr_online(); }
  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    const std::size_t n = rings_.read_events(out);
    events_ += n;
    return n;
  }
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override {
    const std::size_t n = rings_.write_decisions(decisions);
    decisions_ += n;
    return n;
  }
  // The Behaviour that runs the agent's pass yields after it.
  void park(std::uint32_t nr_scheduled) noexcept override { rings_.finish_pass(nr_scheduled); }

  [[nodiscard]] cppland_channel& channel() const noexcept { return *channel_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] std::uint64_t decisions() const noexcept { return decisions_; }

 private:
  Machine* machine_;
  cppland_channel* channel_;
  SharedRings rings_;
  std::uint64_t events_ = 0;
  std::uint64_t decisions_ = 0;
};

}  // namespace cppland::sim
