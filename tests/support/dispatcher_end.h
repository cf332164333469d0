// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_end.h - the dispatcher's ends of the two rings, as bpf/rings.bpf.h has them.
#pragma once

#include <abi/cppland_abi.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cppland::testing {

// Does not own the memory. Any number of threads may send events; one reads decisions.
class DispatcherEnd {
 public:
  explicit DispatcherEnd(cppland_channel& channel) : channel_(&channel) {}

  // The next slot for this producer, not yet readable; nothing if the ring is full.
  [[nodiscard]] std::optional<std::uint64_t> claim_event() {
    const std::atomic_ref head(channel_->dispatcher.event_head);
    // Acquires what the reader released with its tail: it has copied the slots before.
    const std::uint64_t tail =
        std::atomic_ref(channel_->agent.event_tail).load(std::memory_order_acquire);
    if (head.load(std::memory_order_relaxed) - tail >= CPPLAND_EVENT_SLOTS - CPPLAND_MAX_CPUS) {
      return {};
    }
    return head.fetch_add(1);
  }

  // Fills a claimed slot and lets it be read.
  void publish_event(std::uint64_t claimed, const cppland_event& event) {
    cppland_event& slot = channel_->event[claimed % CPPLAND_EVENT_SLOTS];
    // Everything but `seq`, which the reader may be looking at.
    static_assert(offsetof(cppland_event, seq) == 0);
    std::ranges::copy(
        std::as_bytes(std::span(&event, 1)).subspan(sizeof(event.seq)),
        std::as_writable_bytes(std::span(&slot, 1)).subspan(sizeof(event.seq)).begin());
    std::atomic_ref(slot.seq).exchange(claimed + 1);
  }

  // False if the ring is full.
  bool send_event(const cppland_event& event) {
    const auto claimed = claim_event();
    if (claimed) {
      publish_event(*claimed, event);
    }
    return claimed.has_value();
  }

  // All that has been decided.
  std::vector<cppland_decision> drain_decisions() {
    std::vector<cppland_decision> drained;
    const std::atomic_ref tail_word(channel_->dispatcher.decision_tail);
    std::uint64_t tail = tail_word.load(std::memory_order_relaxed);
    const std::uint64_t head =
        std::atomic_ref(channel_->agent.decision_head).load(std::memory_order_acquire);
    if (head - tail > CPPLAND_DECISION_SLOTS) {
      tail = head;  // makes no sense: emptied
    }
    for (; tail != head; ++tail) {
      drained.push_back(channel_->decision[tail % CPPLAND_DECISION_SLOTS]);
    }
    tail_word.store(tail, std::memory_order_release);
    return drained;
  }

 private:
  cppland_channel* channel_;
};

}  // namespace cppland::testing
