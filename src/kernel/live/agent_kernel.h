// SPDX-License-Identifier: GPL-2.0-only
// agent_kernel.h - the running kernel as an agent sees it.
#pragma once

#include <abi/cppland_abi.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/event.h"
#include "base/result.h"
#include "kernel/kernel.h"
#include "kernel/shared_rings.h"

struct ring_buffer;

namespace cppland::live {

// By which the dispatcher wakes an agent that sleeps when it has nothing to do. wait() is for the
// agent's thread, end() for any.
class AgentCalls {
 public:
  // @map: the dispatcher's ring of calls.
  [[nodiscard]] static Result<std::unique_ptr<AgentCalls>> make(int map_fd);

  // Returns when the agent has been called, or after end().
  void wait() noexcept;
  void end() noexcept { ended_.raise(); }

 private:
  struct Closer {
    void operator()(ring_buffer* calls) const noexcept;
  };

  AgentCalls(ring_buffer* calls, Event ended) noexcept : calls_(calls), ended_(std::move(ended)) {}

  std::unique_ptr<ring_buffer, Closer> calls_;
  Event ended_;
};

// The agent's view of one domain. For the thread that `agent_tids` names for it.
class AgentKernel final : public Kernel {
 public:
  // With @calls the agent sleeps until it is called. Does not own what it refers to.
  AgentKernel(const cppland_shm& shm, cppland_channel& channel, AgentCalls* calls) noexcept;

  [[nodiscard]] bool attached() const noexcept override;
  [[nodiscard]] bool in_charge() const noexcept override;
  void stand_by() noexcept override;
  [[nodiscard]] std::uint64_t now_ns() const noexcept override;
  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return rings_.nr_waiting(); }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return rings_.nr_online(); }
  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    return rings_.read_events(out);
  }
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept override {
    return rings_.write_decisions(decisions);
  }
  void park(std::uint32_t nr_scheduled) noexcept override;

 private:
  const cppland_shm& shm_;
  pid_t process_;
  SharedRings rings_;
  AgentCalls* calls_;
};

}  // namespace cppland::live
