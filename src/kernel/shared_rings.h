// SPDX-License-Identifier: GPL-2.0-only
// shared_rings.h - the agent's ends of the two rings in shared memory.
//
//   - the other side may be wrong or gone: indices and slots are copied once, checked, and then
//   used
//   - events arrive in order; a claimed slot that is not filled yet ends what can be read for now
//   - decisions that find no room are not written; the caller keeps them
#pragma once

#include <abi/cppland_abi.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace cppland {

// Does not own the memory, which must outlive it. One thread.
class SharedRings {
 public:
  // Goes on where its predecessors on this channel were: what is in the rings is not for it.
  // REQUIRES: the dispatcher does not use the channel, or it is new.
  explicit SharedRings(cppland_channel& channel) noexcept;

  std::size_t read_events(std::span<cppland_event> out) noexcept;
  std::size_t write_decisions(std::span<const cppland_decision> decisions) noexcept;

  // Says that a pass is done; the dispatcher sees it when this thread gives up its CPU.
  void finish_pass(std::uint32_t nr_scheduled) noexcept;

  [[nodiscard]] std::uint32_t nr_waiting() const noexcept;
  [[nodiscard]] std::uint32_t nr_online() const noexcept;
  [[nodiscard]] bool attached() const noexcept;

 private:
  cppland_channel* channel_;
  std::uint64_t event_tail_ = 0;
  std::uint64_t decision_head_ = 0;
  std::uint64_t passes_ = 0;
};

// Whose agents decide.
struct Regime {
  std::int32_t tgid;
  bool on_trial;  // they have taken over, and the ones before may come back
};
[[nodiscard]] Regime regime(const cppland_shm& shm) noexcept;

// Prepares the memory before a dispatcher uses it. REQUIRES: nobody else does.
void format(cppland_shm& shm, std::uint32_t nr_cpu_ids, std::uint32_t nr_domains = 1) noexcept;

// The sum over all CPUs of one counter.
[[nodiscard]] std::uint64_t counter(const cppland_shm& shm, cppland_counter which) noexcept;

}  // namespace cppland
