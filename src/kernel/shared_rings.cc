// SPDX-License-Identifier: GPL-2.0-only
// shared_rings.cc - the agent's ends of the two rings in shared memory.
#include "kernel/shared_rings.h"

#include <algorithm>
#include <atomic>

namespace cppland {
namespace {

// Words that both sides touch. The dispatcher's side uses the kernel's equivalents.
std::uint64_t load_acquire(const __u64& word) noexcept {
  return std::atomic_ref(const_cast<__u64&>(word)).load(std::memory_order_acquire);
}
std::uint64_t load_relaxed(const __u64& word) noexcept {
  return std::atomic_ref(const_cast<__u64&>(word)).load(std::memory_order_relaxed);
}
std::uint32_t load_relaxed(const __u32& word) noexcept {
  return std::atomic_ref(const_cast<__u32&>(word)).load(std::memory_order_relaxed);
}
void store_release(__u64& word, std::uint64_t value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

static_assert(std::atomic_ref<__u64>::is_always_lock_free);
static_assert(std::atomic_ref<__u32>::is_always_lock_free);

}  // namespace

SharedRings::SharedRings(cppland_channel& channel) noexcept
    : channel_(&channel),
      event_tail_(load_acquire(channel.dispatcher.event_head)),
      decision_head_(load_acquire(channel.dispatcher.decision_tail)),
      passes_(load_acquire(channel.agent.passes)) {
  store_release(channel_->agent.event_tail, event_tail_);
  store_release(channel_->agent.decision_head, decision_head_);
}

std::size_t SharedRings::read_events(std::span<cppland_event> out) noexcept {
  std::size_t n = 0;
  while (n < out.size()) {
    const cppland_event& slot = channel_->event[event_tail_ & (CPPLAND_EVENT_SLOTS - 1)];
    // Pairs with the dispatcher's exchange of `seq`, its last write to the slot.
    if (load_acquire(slot.seq) != event_tail_ + 1) break;
    out[n++] = slot;
    ++event_tail_;
  }
  // The dispatcher may write these slots again from here on.
  if (n > 0) store_release(channel_->agent.event_tail, event_tail_);
  return n;
}

std::size_t SharedRings::write_decisions(std::span<const cppland_decision> decisions) noexcept {
  const std::uint64_t tail = load_acquire(channel_->dispatcher.decision_tail);
  const std::uint64_t used = decision_head_ - tail;
  // A reader's index that makes no sense looks like a full ring.
  const std::size_t room = used <= CPPLAND_DECISION_SLOTS ? CPPLAND_DECISION_SLOTS - used : 0;
  const std::size_t n = std::min(room, decisions.size());
  for (std::size_t i = 0; i < n; ++i)
    channel_->decision[(decision_head_ + i) & (CPPLAND_DECISION_SLOTS - 1)] = decisions[i];
  decision_head_ += n;
  // Pairs with the dispatcher's read of the head, which comes before its reads of the slots.
  if (n > 0) store_release(channel_->agent.decision_head, decision_head_);
  return n;
}

void SharedRings::finish_pass(std::uint32_t nr_scheduled) noexcept {
  std::atomic_ref(channel_->agent.nr_scheduled).store(nr_scheduled, std::memory_order_relaxed);
  store_release(channel_->agent.passes, ++passes_);
}

std::uint32_t SharedRings::nr_waiting() const noexcept {
  // No kernel has more threads (its PID_MAX_LIMIT); policies may calculate with what they get.
  constexpr std::uint32_t kMost = 4'194'304;
  return std::min(load_relaxed(channel_->dispatcher.nr_waiting), kMost);
}

std::uint32_t SharedRings::nr_online() const noexcept {
  return std::clamp(load_relaxed(channel_->dispatcher.nr_online), 1U,
                    std::uint32_t{CPPLAND_MAX_CPUS});
}

bool SharedRings::attached() const noexcept {
  return load_relaxed(channel_->dispatcher.attached) != 0;
}

Regime regime(const cppland_shm& shm) noexcept {
  // The dispatcher writes them in the other order: what is read as over has said who decides now.
  const bool on_trial =
      std::atomic_ref(const_cast<__u32&>(shm.on_trial)).load(std::memory_order_acquire) != 0;
  const std::int32_t tgid =
      std::atomic_ref(const_cast<__s32&>(shm.agent_tgid)).load(std::memory_order_acquire);
  return {.tgid = tgid, .on_trial = on_trial};
}

void format(cppland_shm& shm, std::uint32_t nr_cpu_ids, std::uint32_t nr_domains) noexcept {
  shm.magic = CPPLAND_ABI_MAGIC;
  shm.version = CPPLAND_ABI_VERSION;
  shm.size = sizeof(cppland_shm);
  shm.nr_cpu_ids = nr_cpu_ids;
  shm.nr_domains = nr_domains;
}

std::uint64_t counter(const cppland_shm& shm, cppland_counter which) noexcept {
  std::uint64_t sum = 0;
  for (const cppland_cpu_line& line : shm.cpu) sum += load_relaxed(line.counter[which]);
  return sum;
}

}  // namespace cppland
