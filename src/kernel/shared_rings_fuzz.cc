// SPDX-License-Identifier: GPL-2.0-only
// shared_rings_fuzz.cc - the other side writes anything anywhere: the agent's ends keep their
// counts, stay within their memory, and read no event that was not published.

#include "kernel/shared_rings.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/support/fuzz_bytes.h"

namespace {

using cppland::SharedRings;
using cppland::testing::FuzzBytes;
using cppland::testing::require;

class Run {
 public:
  explicit Run(const FuzzBytes& bytes) : bytes_(bytes) {}

  void all() {
    while (!bytes_.empty()) {
      switch (bytes_.take<std::uint8_t>() % 8) {
        case 0:
        case 1:
          publish();
          break;
        case 2:
          scribble();
          break;
        case 3:
          overwrite_a_word();
          break;
        case 4:
        case 5:
          read();
          break;
        case 6:
          write();
          break;
        default:
          finish();
      }
    }
  }

 private:
  // As a dispatcher does, or almost.
  void publish() {
    const std::uint64_t at = events_ + bytes_.take<std::uint8_t>() % 4;
    cppland_event& slot = channel_->event[at % CPPLAND_EVENT_SLOTS];
    slot.tid = bytes_.take<std::int32_t>();
    slot.seq = at + 1;
  }

  void scribble() {
    const std::size_t at = bytes_.take<std::uint32_t>() % (sizeof(cppland_channel) - 8);
    const auto value = bytes_.take<std::uint64_t>();
    std::memcpy(reinterpret_cast<char*>(channel_.get()) + at, &value, sizeof(value));
  }

  // The words that matter, to values near those that make sense.
  void overwrite_a_word() {
    const std::array words{
        &channel_->dispatcher.event_head, &channel_->dispatcher.decision_tail,
        &channel_->agent.event_tail,      &channel_->agent.decision_head,
        &channel_->agent.passes,          &channel_->event[events_ % CPPLAND_EVENT_SLOTS].seq};
    const auto which = bytes_.take<std::uint8_t>();
    const std::array bases{std::uint64_t{0}, events_, decisions_,
                           decisions_ - CPPLAND_DECISION_SLOTS};
    *words.at(which % words.size()) =
        bases.at(which / 64U) + static_cast<std::uint64_t>(bytes_.take<std::int8_t>());
  }

  void read() {
    std::vector<cppland_event> room(bytes_.take<std::uint8_t>());
    const std::size_t n = rings_.read_events(room);
    require(n <= room.size());
    for (std::size_t i = 0; i < n; ++i) {
      require(room[i].seq == events_ + i + 1);
    }
    events_ += n;
    if (n > 0) {
      require(channel_->agent.event_tail == events_);
    }
  }

  void write() {
    std::vector<cppland_decision> decisions(bytes_.take<std::uint16_t>() % 5000);
    for (cppland_decision& decision : decisions) {
      decision.generation = 0xD0D0;
    }
    const std::uint64_t used = decisions_ - channel_->dispatcher.decision_tail;
    const std::size_t n = rings_.write_decisions(decisions);
    require(n <= decisions.size() && n <= CPPLAND_DECISION_SLOTS);
    require(used <= CPPLAND_DECISION_SLOTS ? used + n <= CPPLAND_DECISION_SLOTS : n == 0);
    for (std::size_t i = 0; i < n; ++i) {
      require(channel_->decision[(decisions_ + i) % CPPLAND_DECISION_SLOTS].generation == 0xD0D0);
    }
    decisions_ += n;
    if (n > 0) {
      require(channel_->agent.decision_head == decisions_);
    }
  }

  void finish() {
    rings_.finish_pass(rings_.nr_waiting());
    require(channel_->agent.passes == ++passes_);
    require(channel_->agent.nr_scheduled <= 4'194'304);
    require(rings_.attached() == (channel_->dispatcher.attached != 0));
  }

  FuzzBytes bytes_;
  std::unique_ptr<cppland_channel> channel_ = std::make_unique<cppland_channel>();
  SharedRings rings_{*channel_};
  std::uint64_t events_ = 0;
  std::uint64_t decisions_ = 0;
  std::uint64_t passes_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(FuzzBytes(data, size)).all();
  return 0;
}
