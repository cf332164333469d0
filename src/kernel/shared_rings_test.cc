// SPDX-License-Identifier: GPL-2.0-only
// shared_rings_test.cc - both rings, empty to full, around their ends, with a corrupt other side,
// and with other threads at it.

#include "kernel/shared_rings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/dispatcher_end.h"
#include "tests/support/events.h"

namespace cppland {
namespace {

using ::cppland::testing::DispatcherEnd;
using ::cppland::testing::EventOf;
using ::cppland::testing::ready;

// As many as the dispatcher puts in: the rest of the slots stays free for CPUs that claim at once.
constexpr std::size_t kRoomForEvents = CPPLAND_EVENT_SLOTS - CPPLAND_MAX_CPUS;

class SharedRingsTest : public ::testing::Test {
 protected:
  bool send(std::int32_t tid) { return dispatcher_.send_event(ready({.tid = tid})); }

  // The tids of the events that can be read now, @most at a time.
  std::vector<std::int32_t> read(std::size_t most = 64) {
    std::vector<cppland_event> events(most);
    events.resize(rings_.read_events(events));
    std::vector<std::int32_t> tids;
    for (const cppland_event& event : events) {
      tids.push_back(event.tid);
    }
    return tids;
  }

  // Decisions for tids @first and on; returns how many found room.
  std::size_t decide(std::int32_t first, std::size_t count) {
    std::vector<cppland_decision> decisions(count);
    for (cppland_decision& decision : decisions) {
      decision.tid = first++;
    }
    return rings_.write_decisions(decisions);
  }

  std::vector<std::int32_t> drain() {
    std::vector<std::int32_t> tids;
    for (const cppland_decision& decision : dispatcher_.drain_decisions()) {
      tids.push_back(decision.tid);
    }
    return tids;
  }

  static std::vector<std::int32_t> numbers(std::int32_t first, std::size_t count) {
    std::vector<std::int32_t> tids(count);
    std::ranges::generate(tids, [&] { return first++; });
    return tids;
  }

  std::unique_ptr<cppland_shm> shm_ = std::make_unique<cppland_shm>();
  std::unique_ptr<cppland_channel> channel_ = std::make_unique<cppland_channel>();
  SharedRings rings_{*channel_};
  DispatcherEnd dispatcher_{*channel_};
};

TEST_F(SharedRingsTest, FormatWritesWhatADispatcherChecks) {
  format(*shm_, 12, 3);
  EXPECT_EQ(shm_->magic, CPPLAND_ABI_MAGIC);
  EXPECT_EQ(shm_->version, CPPLAND_ABI_VERSION);
  EXPECT_EQ(shm_->size, sizeof(cppland_shm));
  EXPECT_EQ(shm_->nr_cpu_ids, 12U);
  EXPECT_EQ(shm_->nr_domains, 3U);
}

// --- events ---

TEST_F(SharedRingsTest, ReadsNothingFromAnEmptyRing) {
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(channel_->agent.event_tail, 0U);
}

TEST_F(SharedRingsTest, ReadsOneEventOnceAndWhole) {
  const cppland_event sent = ready({.tid = 5,
                                    .generation = 6,
                                    .used_ns = 7,
                                    .exec_runtime_ns = 8,
                                    .total_ns = 9,
                                    .at_ns = 10,
                                    .weight = 11,
                                    .cpu = 12,
                                    .flags = 3,
                                    .comm = "sixteen letters!"});
  ASSERT_TRUE(dispatcher_.send_event(sent));

  std::array<cppland_event, 2> room{};
  ASSERT_EQ(rings_.read_events(room), 1U);
  cppland_event expected = sent;
  expected.seq = 1;
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(&room[0], 1)),
                                 std::as_bytes(std::span(&expected, 1))));
  EXPECT_EQ(channel_->agent.event_tail, 1U);
  EXPECT_EQ(rings_.read_events(room), 0U);
}

TEST_F(SharedRingsTest, ReadsManyInTheirOrder) {
  for (const std::int32_t tid : numbers(1, 10)) {
    ASSERT_TRUE(send(tid));
  }
  EXPECT_EQ(read(4), numbers(1, 4));
  EXPECT_EQ(channel_->agent.event_tail, 4U);
  EXPECT_EQ(read(4), numbers(5, 4));
  EXPECT_EQ(read(4), numbers(9, 2));
}

TEST_F(SharedRingsTest, ReadsNothingIntoNoRoom) {
  ASSERT_TRUE(send(1));
  EXPECT_TRUE(read(0).empty());
  EXPECT_EQ(read(), numbers(1, 1));
}

TEST_F(SharedRingsTest, ReadsAFullRing) {
  for (const std::int32_t tid : numbers(1, kRoomForEvents)) {
    ASSERT_TRUE(send(tid));
  }
  EXPECT_FALSE(send(0));
  EXPECT_EQ(read(CPPLAND_EVENT_SLOTS), numbers(1, kRoomForEvents));
  EXPECT_TRUE(send(1));
}

TEST_F(SharedRingsTest, ReadsAcrossTheEndOfTheSlots) {
  std::int32_t next = 1;
  for (int lap = 0; lap < 5; ++lap) {
    for (std::size_t i = 0; i < CPPLAND_EVENT_SLOTS; i += 1000) {
      const auto batch = numbers(next, 1000);
      for (const std::int32_t tid : batch) {
        ASSERT_TRUE(send(tid));
      }
      ASSERT_EQ(read(1000), batch);
      next += 1000;
    }
  }
}

TEST_F(SharedRingsTest, StopsAtASlotThatIsClaimedAndNotFilled) {
  ASSERT_TRUE(send(1));
  const auto slow = dispatcher_.claim_event();
  ASSERT_TRUE(send(3));
  EXPECT_EQ(read(), numbers(1, 1));
  EXPECT_TRUE(read().empty());

  dispatcher_.publish_event(*slow, ready({.tid = 2}));
  EXPECT_EQ(read(), numbers(2, 2));
}

TEST_F(SharedRingsTest, TakesASlotOfTheLastLapForUnfilled) {
  for (const std::int32_t tid : numbers(1, CPPLAND_EVENT_SLOTS)) {
    ASSERT_TRUE(send(tid));
    ASSERT_EQ(read(), numbers(tid, 1));
  }
  EXPECT_TRUE(read().empty()) << "the next slot still holds the first event";
}

TEST_F(SharedRingsTest, IgnoresAnEventHeadThatMakesNoSense) {
  ASSERT_TRUE(send(1));
  for (const std::uint64_t head : {std::uint64_t{0}, std::uint64_t{1} << 40U, UINT64_MAX}) {
    channel_->dispatcher.event_head = head;
    EXPECT_LE(read().size(), 1U);
    EXPECT_EQ(channel_->agent.event_tail, 1U);
  }
}

TEST_F(SharedRingsTest, IgnoresSequenceNumbersThatMakeNoSense) {
  for (const std::uint64_t seq :
       {std::uint64_t{2}, std::uint64_t{CPPLAND_EVENT_SLOTS} + 1, UINT64_MAX}) {
    channel_->event[0].seq = seq;
    EXPECT_TRUE(read().empty()) << seq;
  }
  channel_->event[0].seq = 1;
  channel_->event[0].tid = 9;
  EXPECT_EQ(read(), numbers(9, 1));
}

TEST_F(SharedRingsTest, KeepsItsOwnCountWhenItsWordsAreOverwritten) {
  ASSERT_TRUE(send(1));
  ASSERT_EQ(read(), numbers(1, 1));
  channel_->agent.event_tail = 77;
  channel_->agent.decision_head = 77;
  channel_->event[1].seq = 2;
  channel_->event[1].tid = 2;
  EXPECT_EQ(read(), numbers(2, 1));
  EXPECT_EQ(channel_->agent.event_tail, 2U);
  EXPECT_EQ(decide(1, 1), 1U);
  EXPECT_EQ(channel_->agent.decision_head, 1U);
}

// --- decisions ---

TEST_F(SharedRingsTest, WritesNoDecision) {
  EXPECT_EQ(decide(1, 0), 0U);
  EXPECT_TRUE(drain().empty());
}

TEST_F(SharedRingsTest, WritesOneDecisionOnceAndWhole) {
  const cppland_decision decision{.generation = 1,
                                  .key = 2,
                                  .slice_ns = 3,
                                  .wake_credit_ns = 4,
                                  .tid = 5,
                                  .cpu = -2,
                                  .op = CPPLAND_DECIDE_CREDIT,
                                  .domain = 0,
                                  .reserved = {}};
  ASSERT_EQ(rings_.write_decisions({&decision, 1}), 1U);
  const auto drained = dispatcher_.drain_decisions();
  ASSERT_EQ(drained.size(), 1U);
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(drained)),
                                 std::as_bytes(std::span(&decision, 1))));
  EXPECT_TRUE(drain().empty());
}

TEST_F(SharedRingsTest, WritesManyInTheirOrder) {
  EXPECT_EQ(decide(1, 3), 3U);
  EXPECT_EQ(decide(4, 2), 2U);
  EXPECT_EQ(drain(), numbers(1, 5));
}

TEST_F(SharedRingsTest, WritesAsManyAsThereIsRoomFor) {
  EXPECT_EQ(decide(1, CPPLAND_DECISION_SLOTS - 1), CPPLAND_DECISION_SLOTS - 1);
  EXPECT_EQ(decide(CPPLAND_DECISION_SLOTS, 3), 1U);
  EXPECT_EQ(decide(1, 1), 0U);
  EXPECT_EQ(drain(), numbers(1, CPPLAND_DECISION_SLOTS));
  EXPECT_EQ(decide(7, 1), 1U);
  EXPECT_EQ(drain(), numbers(7, 1));
}

TEST_F(SharedRingsTest, WritesAcrossTheEndOfTheSlots) {
  std::int32_t next = 1;
  for (int i = 0; i < 20; ++i, next += 1000) {
    ASSERT_EQ(decide(next, 1000), 1000U);
    ASSERT_EQ(drain(), numbers(next, 1000));
  }
}

TEST_F(SharedRingsTest, TakesADecisionTailThatMakesNoSenseForAFullRing) {
  ASSERT_EQ(decide(1, 10), 10U);
  for (const std::uint64_t tail :
       {std::uint64_t{11}, std::uint64_t{1} << 40U, std::uint64_t{10} - CPPLAND_DECISION_SLOTS - 1,
        std::uint64_t{1} << 63U}) {
    channel_->dispatcher.decision_tail = tail;
    EXPECT_EQ(decide(11, 1), 0U) << tail;
    EXPECT_EQ(channel_->agent.decision_head, 10U) << tail;
  }
  channel_->dispatcher.decision_tail = 10;
  EXPECT_EQ(decide(11, 1), 1U) << "and goes on when it makes sense again";
}

// --- words ---

TEST_F(SharedRingsTest, FinishesPassesOneByOne) {
  rings_.finish_pass(7);
  EXPECT_EQ(channel_->agent.passes, 1U);
  EXPECT_EQ(channel_->agent.nr_scheduled, 7U);
  channel_->agent.passes = 1000;
  rings_.finish_pass(0);
  EXPECT_EQ(channel_->agent.passes, 2U);
  EXPECT_EQ(channel_->agent.nr_scheduled, 0U);
}

TEST_F(SharedRingsTest, SaysHowManyWaitWithinReason) {
  EXPECT_EQ(rings_.nr_waiting(), 0U);
  channel_->dispatcher.nr_waiting = 12;
  EXPECT_EQ(rings_.nr_waiting(), 12U);
  channel_->dispatcher.nr_waiting = UINT32_MAX;
  EXPECT_EQ(rings_.nr_waiting(), 4'194'304U) << "the kernel's greatest number of threads";
  EXPECT_EQ(rings_.nr_online(), 1U) << "policies divide by it";
  channel_->dispatcher.nr_online = 12;
  EXPECT_EQ(rings_.nr_online(), 12U);
  channel_->dispatcher.nr_online = UINT32_MAX;
  EXPECT_EQ(rings_.nr_online(), CPPLAND_MAX_CPUS);
}

TEST_F(SharedRingsTest, SaysWhetherTheDispatcherIsAttached) {
  EXPECT_FALSE(rings_.attached());
  channel_->dispatcher.attached = 1;
  EXPECT_TRUE(rings_.attached());
}

TEST_F(SharedRingsTest, SumsACounterOverAllCpus) {
  EXPECT_EQ(counter(*shm_, CPPLAND_NR_RESCUED), 0U);
  shm_->cpu[0].counter[CPPLAND_NR_RESCUED] = 1;
  shm_->cpu[CPPLAND_MAX_CPUS - 1].counter[CPPLAND_NR_RESCUED] = 10;
  shm_->cpu[3].counter[CPPLAND_NR_EVENTS] = 100;
  EXPECT_EQ(counter(*shm_, CPPLAND_NR_RESCUED), 11U);
  EXPECT_EQ(counter(*shm_, CPPLAND_NR_EVENTS), 100U);
}

// --- with other threads ---

// An event of which every part follows from who sent it and its number.
cppland_event numbered_event(std::int32_t sender, std::uint64_t number) {
  return ready({.tid = sender,
                .generation = number,
                .used_ns = number * 3,
                .exec_runtime_ns = number * 5,
                .total_ns = number * 7,
                .at_ns = number * 11,
                .weight = static_cast<std::uint32_t>(number % 10000 + 1)});
}

TEST_F(SharedRingsTest, ReadsEveryEventOfManyCpusWholeAndInOrder) {
  constexpr std::size_t kCpus = 3;
  constexpr std::uint64_t kEvents = 20'000;
  std::array<std::thread, kCpus> cpus;
  for (std::size_t i = 0; i < kCpus; ++i) {
    cpus.at(i) = std::thread([this, sender = static_cast<std::int32_t>(i + 1)] {
      for (std::uint64_t number = 1; number <= kEvents;) {
        if (dispatcher_.send_event(numbered_event(sender, number))) {
          ++number;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }

  std::array<std::uint64_t, kCpus> last{};
  std::array<cppland_event, 128> room{};
  std::uint64_t wrong = 0;
  for (std::uint64_t count = 0; count < kCpus * kEvents;) {
    const std::size_t n = rings_.read_events(room);
    for (const cppland_event& event : std::span(room).first(n)) {
      ++count;
      const bool known = event.tid >= 1 && event.tid <= static_cast<std::int32_t>(kCpus);
      if (!known || event.generation != ++last.at(static_cast<std::size_t>(event.tid) - 1)) {
        ++wrong;
        continue;
      }
      cppland_event expected = numbered_event(event.tid, event.generation);
      expected.seq = count;
      if (!std::ranges::equal(std::as_bytes(std::span(&event, 1)),
                              std::as_bytes(std::span(&expected, 1)))) {
        ++wrong;
      }
    }
    if (n == 0) {
      std::this_thread::yield();
    }
  }
  for (std::thread& cpu : cpus) {
    cpu.join();
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(read().empty());
}

TEST_F(SharedRingsTest, HandsOverEveryDecisionWholeAndInOrder) {
  constexpr std::uint64_t kDecisions = 100'000;
  std::atomic<bool> done = false;
  std::vector<cppland_decision> drained;
  std::thread cpu([&] {
    for (bool last = false; !last;) {
      last = done.load();
      const auto batch = dispatcher_.drain_decisions();
      drained.insert(drained.end(), batch.begin(), batch.end());
      std::this_thread::yield();
    }
  });

  std::vector<cppland_decision> batch(700);
  for (std::uint64_t number = 0; number < kDecisions;) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].generation = number + i;
      batch[i].key = (number + i) * 3;
      batch[i].reserved[1] = (number + i) * 7;
    }
    number += rings_.write_decisions(
        std::span(batch).first(std::min<std::uint64_t>(batch.size(), kDecisions - number)));
    std::this_thread::yield();
  }
  done = true;
  cpu.join();

  ASSERT_EQ(drained.size(), kDecisions);
  for (std::uint64_t number = 0; number < kDecisions; ++number) {
    ASSERT_EQ(drained[number].generation, number);
    ASSERT_EQ(drained[number].key, number * 3);
    ASSERT_EQ(drained[number].reserved[1], number * 7);
  }
}

// --- another process's agents ---

TEST(SharedRingsOfASuccessor, GoOnWhereThoseBeforeWere) {
  const auto channel = std::make_unique<cppland_channel>();
  channel->dispatcher.event_head = 5;
  channel->dispatcher.decision_tail = 7;
  channel->agent = {.event_tail = 2, .decision_head = 9, .passes = 3};
  for (std::uint64_t i = 0; i < 5; ++i) channel->event[i].seq = i + 1;  // nobody reads these
  SharedRings rings(*channel);
  std::vector<cppland_event> events(8);
  EXPECT_EQ(rings.read_events(events), 0U);
  EXPECT_EQ(channel->agent.event_tail, 5U);
  EXPECT_EQ(channel->agent.decision_head, 7U);
  channel->event[5].seq = 6;
  EXPECT_EQ(rings.read_events(events), 1U);
  const std::vector<cppland_decision> decisions(1);
  EXPECT_EQ(rings.write_decisions(decisions), 1U);
  EXPECT_EQ(channel->agent.decision_head, 8U);
  rings.finish_pass(0);
  EXPECT_EQ(channel->agent.passes, 4U);
}

TEST(Regime, SaysWhoDecides) {
  const auto shm = std::make_unique<cppland_shm>();
  shm->agent_tgid = 42;
  EXPECT_EQ(regime(*shm).tgid, 42);
  EXPECT_FALSE(regime(*shm).on_trial);
  shm->on_trial = 1;
  EXPECT_TRUE(regime(*shm).on_trial);
}

}  // namespace
}  // namespace cppland
