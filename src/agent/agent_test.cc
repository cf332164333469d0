// SPDX-License-Identifier: GPL-2.0-only
// agent_test.cc - one pass: everything in, decisions out, the CPU given back.

#include "agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "policies/fifo.h"
#include "tests/support/events.h"
#include "tests/support/fake_kernel.h"

namespace cppland {
namespace {

using ::cppland::testing::FakeKernel;
using ::cppland::testing::ran;
using ::cppland::testing::ready;
using ::testing::Each;
using ::testing::ElementsAre;

// A policy that answers as a test says, and writes down when it was called.
class FakePolicy final : public PolicyRunner {
 public:
  explicit FakePolicy(std::vector<std::string>& log) : log_(log) {}

  std::size_t take(std::span<const cppland_event> events, const Moment& moment,
                   std::span<cppland_decision> decisions) noexcept override {
    log_.push_back("take " + std::to_string(events.size()));
    moments.push_back(moment);
    waits += events.size();
    const std::size_t n = std::min(answers, decisions.size());
    answers -= n;
    return n;
  }

  std::size_t decide(const Moment& moment,
                     std::span<cppland_decision> decisions) noexcept override {
    const std::size_t n = std::min(waits, decisions.size());
    log_.push_back("decide " + std::to_string(n));
    moments.push_back(moment);
    waits -= n;
    return n;
  }

  [[nodiscard]] std::uint32_t waiting() const noexcept override { return keeps; }
  [[nodiscard]] bool strict() const noexcept override { return false; }

  std::size_t waits = 0;
  std::size_t answers = 0;  // to give at once
  std::uint32_t keeps = 0;
  std::vector<Moment> moments;

 private:
  std::vector<std::string>& log_;
};

class AgentTest : public ::testing::Test {
 protected:
  void arrive(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      kernel_.events.push_back(ready({.tid = static_cast<std::int32_t>(i + 1)}));
    }
  }

  FakeKernel kernel_;
  FakePolicy policy_{kernel_.calls};
  Agent agent_{kernel_, policy_};
  std::atomic<bool> stop_ = false;
};

TEST_F(AgentTest, GivesTheCpuBackWhenThereIsNothingToDo) {
  agent_.pass();
  EXPECT_THAT(kernel_.calls, ElementsAre("read 0", "decide 0", "park"));
}

TEST_F(AgentTest, DecidesForOne) {
  arrive(1);
  agent_.pass();
  EXPECT_THAT(kernel_.calls, ElementsAre("read 1", "take 1", "write 0 of 0", "read 0", "decide 1",
                                         "write 1 of 1", "decide 0", "park"));
}

TEST_F(AgentTest, TakesEverythingInBeforeItDecidesForTheFirst) {
  arrive(300);
  agent_.pass();
  EXPECT_THAT(kernel_.calls,
              ElementsAre("read 128", "take 128", "write 0 of 0", "read 128", "take 128",
                          "write 0 of 0", "read 44", "take 44", "write 0 of 0", "read 0",
                          "decide 128", "write 128 of 128", "decide 128", "write 128 of 128",
                          "decide 44", "write 44 of 44", "decide 0", "park"));
}

TEST_F(AgentTest, TakesInJustABatch) {
  arrive(128);
  agent_.pass();
  EXPECT_EQ(kernel_.decisions.size(), 128U);
  EXPECT_EQ(std::ranges::count(kernel_.calls, "take 128"), 1);
}

TEST_F(AgentTest, HandsOverAnswersBeforeItReadsOn) {
  arrive(130);
  policy_.answers = 2;
  agent_.pass();
  kernel_.calls.resize(4);
  EXPECT_THAT(kernel_.calls, ElementsAre("read 128", "take 128", "write 2 of 2", "read 2"));
}

TEST_F(AgentTest, UsesOneMomentForAllOfAPass) {
  kernel_.waiting = 17;
  arrive(300);
  agent_.pass();
  ASSERT_GE(policy_.moments.size(), 7U);
  for (const Moment& moment : policy_.moments) {
    EXPECT_EQ(moment.now_ns, 1'000U);
    EXPECT_EQ(moment.waiting, 17U);
    EXPECT_EQ(moment.nr_cpus, 4U);
  }
  EXPECT_EQ(kernel_.clock_reads, 1U);
}

TEST_F(AgentTest, LooksAtTheClockForEachPass) {
  agent_.pass();
  agent_.pass();
  EXPECT_EQ(policy_.moments.at(0).now_ns, 1'000U);
  EXPECT_EQ(policy_.moments.at(1).now_ns, 1'001U);
}

TEST_F(AgentTest, SaysHowManyThePolicyStillHolds) {
  policy_.keeps = 9;
  agent_.pass();
  EXPECT_THAT(kernel_.parked_with, ElementsAre(9));
}

TEST_F(AgentTest, DropsDecisionsThatFindNoRoomAndGoesOn) {
  arrive(200);
  kernel_.room = 150;
  agent_.pass();
  EXPECT_EQ(kernel_.decisions.size(), 150U);
  EXPECT_EQ(kernel_.calls.back(), "park");

  kernel_.room = 0;
  kernel_.calls.clear();
  arrive(1);
  agent_.pass();
  EXPECT_THAT(kernel_.calls, ElementsAre("read 1", "take 1", "write 0 of 0", "read 0", "decide 1",
                                         "write 0 of 1", "decide 0", "park"));
}

// A dispatcher that writes faster than anybody could read, or that is corrupt.
TEST_F(AgentTest, EndsAPassAlthoughEventsDoNotEnd) {
  class Flood final : public Kernel {
   public:
    [[nodiscard]] bool attached() const noexcept override { return true; }
    [[nodiscard]] std::uint64_t now_ns() const noexcept override { return 0; }
    [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return 0; }
    [[nodiscard]] std::uint32_t nr_online() const noexcept override { return 1; }
    std::size_t read_events(std::span<cppland_event> out) noexcept override {
      read += out.size();
      return out.size();
    }
    std::size_t write_decisions(std::span<const cppland_decision> made) noexcept override {
      return made.size();
    }
    void park(std::uint32_t /*nr_scheduled*/) noexcept override { parked = true; }

    std::size_t read = 0;
    bool parked = false;
  };
  Flood flood;
  PolicyHost<policies::Fifo> host({});
  Agent(flood, host).pass();
  EXPECT_TRUE(flood.parked);
  EXPECT_GE(flood.read, CPPLAND_EVENT_SLOTS);
}

// --- with a real policy ---

TEST(AgentWithFifo, DecidesForEverybodyOnce) {
  FakeKernel kernel;
  PolicyHost<policies::Fifo> host({});
  Agent agent(kernel, host);
  for (std::int32_t tid = 1; tid <= 1000; ++tid) {
    kernel.events.push_back(ready({.tid = tid}));
  }
  agent.pass();
  ASSERT_EQ(kernel.decisions.size(), 1000U);
  for (std::int32_t tid = 1; tid <= 1000; ++tid) {
    EXPECT_EQ(kernel.decisions.at(static_cast<std::size_t>(tid) - 1).tid, tid);
  }
  EXPECT_THAT(kernel.parked_with, ElementsAre(0));
}

TEST(AgentWithFifo, ServesWhoWasDroppedWhenItIsAskedAnew) {
  FakeKernel kernel;
  PolicyHost<policies::Fifo> host({});
  Agent agent(kernel, host);
  kernel.room = 0;
  kernel.events.push_back(ready({.tid = 5, .generation = 1}));
  agent.pass();
  ASSERT_TRUE(kernel.decisions.empty());

  kernel.room = SIZE_MAX;
  kernel.events.push_back(ready({.tid = 5, .generation = 2}));
  agent.pass();
  ASSERT_EQ(kernel.decisions.size(), 1U);
  EXPECT_EQ(kernel.decisions[0].generation, 2U);
}

// --- run ---

TEST_F(AgentTest, RunsUntilItIsTold) {
  kernel_.on_park = [&] { stop_ = kernel_.parked_with.size() == 3; };
  agent_.run(stop_);
  EXPECT_EQ(kernel_.parked_with.size(), 3U);
}

TEST_F(AgentTest, DoesNotRunWhenItIsToldBefore) {
  stop_ = true;
  agent_.run(stop_);
  EXPECT_TRUE(kernel_.calls.empty());
}

TEST_F(AgentTest, RunsUntilTheDispatcherIsGone) {
  kernel_.on_park = [&] { kernel_.is_attached = kernel_.parked_with.size() < 2; };
  agent_.run(stop_);
  EXPECT_EQ(kernel_.parked_with.size(), 2U);
}

TEST_F(AgentTest, StandsByWhileAnotherOneIsOnTrial) {
  kernel_.decides = false;
  kernel_.on_stand_by = [&] { kernel_.decides = kernel_.calls.size() == 3; };
  kernel_.on_park = [&] { stop_ = true; };
  agent_.run(stop_);
  EXPECT_EQ(kernel_.calls[2], "stand by");
  EXPECT_EQ(kernel_.parked_with.size(), 1U) << "then it goes on";
}

TEST_F(AgentTest, LeavesWhenAnotherOneHasTakenOver) {
  kernel_.decides = false;
  kernel_.on_stand_by = [&] { kernel_.is_attached = false; };
  agent_.run(stop_);
  EXPECT_TRUE(kernel_.parked_with.empty());
}

TEST_F(AgentTest, DoesNotRunWithoutADispatcher) {
  kernel_.is_attached = false;
  agent_.run(stop_);
  EXPECT_TRUE(kernel_.calls.empty());
}

}  // namespace
}  // namespace cppland
