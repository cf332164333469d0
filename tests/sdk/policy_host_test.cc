// SPDX-License-Identifier: GPL-2.0-only
// policy_host_test.cc - from events to calls of a policy, from its decisions to those of the ABI.

#include <cppland/policy_host.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "policies/fifo.h"
#include "tests/support/events.h"

namespace cppland {
namespace {

using ::cppland::testing::EventOf;
using ::cppland::testing::generation;
using ::cppland::testing::gone;
using ::cppland::testing::ran;
using ::cppland::testing::ready;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Moment kMoment{.now_ns = 1'000, .waiting = 1, .nr_cpus = 2};

// Writes down what it is told, and decides as a test wants it: at first as a queue.
struct Recorder {
  struct Task : cppland::Task {};

  explicit Recorder(const PolicyConfig& made_with) : config(made_with) {}

  void ready(Task& task, const Moment& /*moment*/) {
    log.push_back(fmt::format("ready {}{}", task.tid, task.first ? " first" : ""));
    last = &task;
    queue.push(task);
  }
  void gone(Task& task) {
    log.push_back(fmt::format("gone {}", task.tid));
    queue.erase(task);
  }
  Decision next(const Moment& moment) {
    moments.push_back(moment);
    return decide();
  }

  std::vector<std::string> take_log() { return std::exchange(log, {}); }

  PolicyConfig config;
  std::vector<std::string> log;
  std::vector<Moment> moments;
  Task* last = nullptr;  // that was ready
  TaskQueue<Task> queue;
  std::function<Decision()> decide = [this] {
    return Decision{.task = queue.empty() ? nullptr : &queue.pop()};
  };
};

// Also renews credit.
struct RenewingRecorder : Recorder {
  using Recorder::Recorder;

  std::uint64_t renew(Task& task, const Moment& /*moment*/) {
    log.push_back(
        fmt::format("renew {}{} used {}", task.tid, task.first ? " first" : "", task.used_ns));
    return 5'000;
  }
};

struct Strict : Recorder {
  using Recorder::Recorder;

  static constexpr bool kStrict = true;
};

template <typename P>
class HostOf {
 public:
  explicit HostOf(std::uint32_t capacity = 16) : host({.slice_ns = 7, .task_capacity = capacity}) {}

  // Events in one batch; returns what was answered at once.
  std::vector<cppland_decision> take(const std::vector<cppland_event>& events) {
    std::array<cppland_decision, 16> room{};
    const std::size_t n = host.take(events, kMoment, room);
    return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(n)};
  }

  std::vector<cppland_decision> decide(std::size_t most = 16) {
    std::vector<cppland_decision> room(most);
    room.resize(host.decide(kMoment, room));
    return room;
  }

  std::vector<std::int32_t> decided_tids() {
    std::vector<std::int32_t> tids;
    for (const cppland_decision& decision : decide()) {
      tids.push_back(decision.tid);
    }
    return tids;
  }

  std::vector<std::string> log() { return host.policy().take_log(); }

  PolicyHost<P> host;
};

// --- ready and decided ---

TEST(PolicyHost, MakesItsPolicyWithTheConfiguration) {
  HostOf<Recorder> h;
  EXPECT_EQ(h.host.policy().config.slice_ns, 7U);
}

TEST(PolicyHost, DecidesNothingWhenNobodyWaits) {
  HostOf<Recorder> h;
  EXPECT_THAT(h.take({}), IsEmpty());
  EXPECT_THAT(h.decide(), IsEmpty());
  EXPECT_EQ(h.host.waiting(), 0U);
}

TEST(PolicyHost, DecidesForWhoIsReady) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .generation = generation(3, 9)})});
  EXPECT_EQ(h.host.waiting(), 1U);
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first"));

  const auto decisions = h.decide();

  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_EQ(decisions[0].op, unsigned{CPPLAND_DECIDE_RUN});
  EXPECT_EQ(decisions[0].tid, 5);
  EXPECT_EQ(decisions[0].generation, generation(3, 9));
  EXPECT_EQ(decisions[0].domain, 0U);
  EXPECT_EQ(decisions[0].slice_ns, 0U);
  EXPECT_EQ(decisions[0].cpu, CPPLAND_CPU_ANY);
  EXPECT_EQ(decisions[0].wake_credit_ns, 0U);
  EXPECT_EQ(h.host.waiting(), 0U);
  EXPECT_THAT(h.decide(), IsEmpty());
}

TEST(PolicyHost, HandsOnAllThatAPolicyDecides) {
  HostOf<Recorder> h;
  Recorder& policy = h.host.policy();
  policy.decide = [&] {
    return Decision{.task = policy.queue.empty() ? nullptr : &policy.queue.pop(),
                    .key = 77,
                    .slice_ns = 88,
                    .cpu = 3,
                    .wake_credit_ns = 99};
  };
  h.take({ready({.tid = 5})});
  const auto decisions = h.decide();
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_EQ(decisions[0].key, 77U);
  EXPECT_EQ(decisions[0].slice_ns, 88U);
  EXPECT_EQ(decisions[0].cpu, 3);
  EXPECT_EQ(decisions[0].wake_credit_ns, 99U);
}

TEST(PolicyHost, UsesTheAbisNamesForCpus) {
  EXPECT_EQ(kAnyCpu, CPPLAND_CPU_ANY);
  EXPECT_EQ(kAnyIdleCpu, CPPLAND_CPU_ANY_IDLE);
}

TEST(PolicyHost, TellsThePolicyTheMomentOfThePass) {
  HostOf<Recorder> h;
  h.decide();
  ASSERT_EQ(h.host.policy().moments.size(), 1U);
  EXPECT_EQ(h.host.policy().moments[0].now_ns, kMoment.now_ns);
  EXPECT_EQ(h.host.policy().moments[0].waiting, kMoment.waiting);
  EXPECT_EQ(h.host.policy().moments[0].nr_cpus, kMoment.nr_cpus);
}

TEST(PolicyHost, BringsATasksFiguresUpToDate) {
  HostOf<Recorder> h;
  cppland_event event = ready({.tid = 5,
                               .used_ns = 1,
                               .exec_runtime_ns = 2,
                               .total_ns = 3,
                               .preempt_ns = 10,
                               .at_ns = 4,
                               .weight = 200,
                               .cpu = 6,
                               .flags = CPPLAND_TASK_WOKE | CPPLAND_TASK_KTHREAD,
                               .comm = "kworker/3:1"});
  event.tgid = 7;
  event.nr_cpus_allowed = 8;
  h.take({event});

  const Task& task = *h.host.policy().last;
  EXPECT_EQ(task.tid, 5);
  EXPECT_EQ(task.tgid, 7);
  EXPECT_EQ(task.weight, 200U);
  EXPECT_EQ(task.cpu, 6);
  EXPECT_EQ(task.nr_cpus_allowed, 8U);
  EXPECT_TRUE(task.kernel_thread);
  EXPECT_TRUE(task.woke);
  EXPECT_EQ(task.used_ns, 1U);
  EXPECT_EQ(task.exec_runtime_ns, 2U);
  EXPECT_EQ(task.total_ns, 3U);
  EXPECT_EQ(task.preempt_ns, 10U);
  EXPECT_EQ(task.ready_ns, 4U);
  EXPECT_EQ(task.comm(), "kworker/3:1");

  h.decide();
  h.take({ready({.tid = 5, .used_ns = 9, .comm = "renamed"})});
  EXPECT_EQ(task.used_ns, 9U);
  EXPECT_EQ(task.weight, 100U);
  EXPECT_FALSE(task.kernel_thread);
  EXPECT_FALSE(task.woke);
  EXPECT_EQ(task.comm(), "renamed");
}

TEST(PolicyHost, SaysFirstOnlyOnce) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5})});
  h.decide();
  h.take({ready({.tid = 5})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "ready 5"));
}

TEST(PolicyHost, FillsWhatRoomThereIsAndGoesOnLater) {
  HostOf<Recorder> h;
  for (const std::int32_t tid : {1, 2, 3, 4, 5}) {
    h.take({ready({.tid = tid})});
  }
  EXPECT_THAT(h.decide(0), IsEmpty());
  EXPECT_EQ(h.decide(2).size(), 2U);
  EXPECT_EQ(h.host.waiting(), 3U);
  EXPECT_EQ(h.decide(2).size(), 2U);
  EXPECT_EQ(h.decide(2).size(), 1U);
  EXPECT_EQ(h.decide(2).size(), 0U);
}

TEST(PolicyHost, GivesRisingKeysToAPolicyWithoutKeys) {
  HostOf<Recorder> h;
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    h.take({ready({.tid = 3}), ready({.tid = 1}), ready({.tid = 2})});
    for (const cppland_decision& decision : h.decide()) {
      EXPECT_GT(decision.key, last);
      last = decision.key;
    }
  }
}

TEST(PolicyHost, SaysWhetherItsPolicyIsStrict) {
  EXPECT_FALSE(HostOf<Recorder>().host.strict());
  EXPECT_TRUE(HostOf<Strict>().host.strict());
}

// --- taken back, gone, come back as another ---

TEST(PolicyHost, StartsOverWhenAskedAnew) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .generation = generation(1, 1)})});
  h.take({ready({.tid = 5, .generation = generation(1, 2)})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "gone 5", "ready 5"));
  EXPECT_EQ(h.host.waiting(), 1U);

  const auto decisions = h.decide();
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_EQ(decisions[0].generation, generation(1, 2));
}

TEST(PolicyHost, TellsOfATaskThatIsGone) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5}), ready({.tid = 6}), gone({.tid = 5})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "ready 6 first", "gone 5"));
  EXPECT_EQ(h.host.waiting(), 1U);
  EXPECT_THAT(h.decided_tids(), ElementsAre(6));
  EXPECT_EQ(h.host.tasks().size(), 1U);
}

TEST(PolicyHost, TellsOfATaskThatIsGoneWithoutWaiting) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5})});
  h.decide();
  h.take({gone({.tid = 5, .generation = 8})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "gone 5"));
  EXPECT_EQ(h.host.waiting(), 0U);
  EXPECT_EQ(h.host.tasks().size(), 0U);
}

TEST(PolicyHost, DoesNotMindWhoIsGoneUnheardOf) {
  HostOf<Recorder> h;
  h.take({gone({.tid = 5})});
  h.take({gone({.tid = 5})});
  EXPECT_THAT(h.log(), IsEmpty());
  EXPECT_EQ(h.host.tasks().size(), 0U);
}

TEST(PolicyHost, TakesTheSameTidForAnotherTaskAfterItIsGone) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .generation = generation(1, 1)}),
          gone({.tid = 5, .generation = generation(1, 1)}),
          ready({.tid = 5, .generation = generation(2, 1)})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "gone 5", "ready 5 first"));
  EXPECT_EQ(h.host.waiting(), 1U);
}

TEST(PolicyHost, TakesTheSameTidForAnotherTaskWhenTheEndOfTheFirstWentUnheard) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .generation = generation(1, 7)})});
  h.take({ready({.tid = 5, .generation = generation(2, 1)})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "gone 5", "ready 5 first"));
  EXPECT_EQ(h.host.waiting(), 1U);
  EXPECT_EQ(h.host.tasks().size(), 1U);
  EXPECT_EQ(h.decide().at(0).generation, generation(2, 1));
}

TEST(PolicyHost, KeepsATaskWhenAnEarlierOneOfItsTidIsGone) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .generation = generation(2, 1)}),
          gone({.tid = 5, .generation = generation(1, 1)})});
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first"));
  EXPECT_THAT(h.decided_tids(), ElementsAre(5));
}

// --- policies that are wrong ---

TEST(PolicyHost, IgnoresASecondDecisionForOneWait) {
  HostOf<Recorder> h;
  Recorder& policy = h.host.policy();
  h.take({ready({.tid = 5}), ready({.tid = 6})});
  Recorder::Task* six = policy.last;
  std::vector<Decision> script{{}, {.task = six}, {.task = six}, {.task = &policy.queue.pop()}};
  policy.decide = [&] {
    const Decision decision = script.back();
    script.pop_back();
    return decision;
  };
  EXPECT_THAT(h.decided_tids(), ElementsAre(5, 6));
  EXPECT_EQ(h.host.waiting(), 0U);
}

TEST(PolicyHost, EndsWithAPolicyThatDecidesForOneTaskForEver) {
  HostOf<Recorder> h;
  Recorder& policy = h.host.policy();
  h.take({ready({.tid = 5})});
  policy.decide = [&] { return Decision{.task = policy.last}; };
  EXPECT_EQ(h.decide().size(), 1U);
  EXPECT_EQ(h.decide().size(), 0U);
  EXPECT_EQ(h.host.waiting(), 0U);
}

TEST(PolicyHost, ServesWhoComesAgainAfterAPolicyForgotIt) {
  HostOf<Recorder> h;
  Recorder& policy = h.host.policy();
  auto forget = [] { return Decision{}; };
  auto as_before = std::exchange(policy.decide, forget);
  h.take({ready({.tid = 5, .generation = generation(1, 1)})});
  EXPECT_THAT(h.decide(), IsEmpty());
  EXPECT_EQ(h.host.waiting(), 1U);

  policy.decide = as_before;
  h.take({ready({.tid = 5, .generation = generation(1, 2)})});
  EXPECT_EQ(h.host.waiting(), 1U);
  EXPECT_EQ(h.decide().at(0).generation, generation(1, 2));
}

// --- events that are wrong ---

TEST(PolicyHost, IgnoresWhatIsNoEvent) {
  HostOf<RenewingRecorder> h;
  EXPECT_THAT(h.take({EventOf{.tid = 5}.of_type(CPPLAND_EVENT_NONE), EventOf{.tid = 5}.of_type(4),
                      EventOf{.tid = 5}.of_type(UINT32_MAX)}),
              IsEmpty());
  EXPECT_THAT(h.log(), IsEmpty());
  EXPECT_EQ(h.host.tasks().size(), 0U);
}

TEST(PolicyHost, IgnoresTidsThatNoThreadHas) {
  HostOf<RenewingRecorder> h;
  for (const std::int32_t tid : {0, -1, INT32_MIN}) {
    h.take({ready({.tid = tid}), ran({.tid = tid}), gone({.tid = tid})});
  }
  EXPECT_THAT(h.log(), IsEmpty());
  EXPECT_EQ(h.host.tasks().size(), 0U);
}

TEST(PolicyHost, BoundsWeights) {
  struct Case {
    std::uint32_t told;
    std::uint32_t taken;
  };
  HostOf<Recorder> h;
  for (const Case& c : {Case{0, 1}, {1, 1}, {10000, 10000}, {10001, 10000}, {UINT32_MAX, 10000}}) {
    h.take({ready({.tid = 5, .weight = c.told})});
    EXPECT_EQ(h.host.policy().last->weight, c.taken);
  }
}

TEST(PolicyHost, BoundsCpuTime) {
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  HostOf<Recorder> h;
  const auto take = [&](std::uint64_t used, std::uint64_t exec) {
    h.take({ready({.tid = 5, .used_ns = used, .exec_runtime_ns = exec})});
  };
  take(std::uint64_t{0} - 1000, UINT64_MAX);
  EXPECT_EQ(h.host.policy().last->used_ns, kHour);
  EXPECT_EQ(h.host.policy().last->exec_runtime_ns, kHour);
  take(kHour - 1, kHour - 2);
  EXPECT_EQ(h.host.policy().last->used_ns, kHour - 1);
  EXPECT_EQ(h.host.policy().last->exec_runtime_ns, kHour - 2);
}

TEST(PolicyHost, ReadsANameWithoutAnEnd) {
  HostOf<Recorder> h;
  h.take({ready({.tid = 5, .comm = "sixteen letters!!!"})});
  EXPECT_EQ(h.host.policy().last->comm(), "sixteen letters!");
}

// --- more tasks than there is room for ---

TEST(PolicyHost, ForgetsWhoWasNotHeardOfForLongestWhenFull) {
  HostOf<Recorder> h(2);
  h.take({ready({.tid = 1}), ready({.tid = 2})});
  h.decide();
  h.take({ready({.tid = 1})});
  h.decide();
  h.log();

  h.take({ready({.tid = 3})});

  EXPECT_THAT(h.log(), ElementsAre("gone 2", "ready 3 first"));
  EXPECT_EQ(h.host.tasks().size(), 2U);
}

TEST(PolicyHost, NeverForgetsWhoWaits) {
  HostOf<Recorder> h(2);
  h.take({ready({.tid = 1}), ready({.tid = 2}), ready({.tid = 3})});
  EXPECT_THAT(h.log(), ElementsAre("ready 1 first", "ready 2 first"));
  EXPECT_EQ(h.host.waiting(), 2U);
  EXPECT_THAT(h.decided_tids(), ElementsAre(1, 2));

  h.take({ready({.tid = 3})});
  EXPECT_THAT(h.decided_tids(), ElementsAre(3));
}

TEST(PolicyHost, WorksWithRoomForOne) {
  HostOf<Recorder> h(1);
  for (const std::int32_t tid : {1, 2, 1, 3}) {
    h.take({ready({.tid = tid})});
    EXPECT_THAT(h.decided_tids(), ElementsAre(tid));
  }
  EXPECT_THAT(h.log(), ElementsAre("ready 1 first", "gone 1", "ready 2 first", "gone 2",
                                   "ready 1 first", "gone 1", "ready 3 first"));
}

// --- renewals of credit ---

TEST(PolicyHost, RenewsCreditAtOnce) {
  HostOf<RenewingRecorder> h;
  h.take({ready({.tid = 5, .generation = generation(2, 1)})});
  h.decide();

  const auto answers = h.take({ran({.tid = 5, .generation = generation(2, 1), .used_ns = 30})});

  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].op, unsigned{CPPLAND_DECIDE_CREDIT});
  EXPECT_EQ(answers[0].tid, 5);
  EXPECT_EQ(answers[0].generation, generation(2, 1));
  EXPECT_EQ(answers[0].wake_credit_ns, 5'000U);
  EXPECT_EQ(answers[0].domain, 0U);
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "renew 5 used 30"));
  EXPECT_EQ(h.host.waiting(), 0U);
}

TEST(PolicyHost, RenewsCreditOfATaskThatItDoesNotKnow) {
  HostOf<RenewingRecorder> h;
  EXPECT_EQ(h.take({ran({.tid = 5})}).size(), 1U);
  h.take({ready({.tid = 5})});
  EXPECT_THAT(h.log(), ElementsAre("renew 5 first used 0", "ready 5"));
}

// The dispatcher served it without the agent in the meantime.
TEST(PolicyHost, TakesATaskThatRanForOneThatWaitsNoMore) {
  HostOf<RenewingRecorder> h;
  h.take({ready({.tid = 5, .used_ns = 10})});
  EXPECT_EQ(h.take({ran({.tid = 5, .used_ns = 30})}).size(), 1U);
  EXPECT_THAT(h.log(), ElementsAre("ready 5 first", "gone 5", "renew 5 used 30"));
  EXPECT_EQ(h.host.waiting(), 0U);
  EXPECT_THAT(h.decide(), IsEmpty());
}

TEST(PolicyHost, LosesNoTimeOfATaskThatRanUnheard) {
  HostOf<Recorder> h;  // does not renew
  h.take({ready({.tid = 5, .used_ns = 10})});
  h.decide();
  EXPECT_THAT(h.take({ran({.tid = 5, .used_ns = 30, .flags = CPPLAND_TASK_WOKE})}), IsEmpty());
  h.take({ran({.tid = 5, .used_ns = 4, .preempt_ns = 5})});
  h.take({ready({.tid = 5, .used_ns = 3, .preempt_ns = 6})});
  EXPECT_EQ(h.host.policy().last->used_ns, 37U);
  EXPECT_EQ(h.host.policy().last->preempt_ns, 11U);
  EXPECT_TRUE(h.host.policy().last->woke);

  h.take({ready({.tid = 5, .used_ns = 2})});
  EXPECT_EQ(h.host.policy().last->used_ns, 2U);
  EXPECT_EQ(h.host.policy().last->preempt_ns, 0U);
  EXPECT_FALSE(h.host.policy().last->woke);
}

TEST(PolicyHost, RenewsLaterWhatFoundNoRoom) {
  HostOf<RenewingRecorder> h;
  h.take({ready({.tid = 5}), ready({.tid = 6})});
  h.decide();
  h.log();
  const std::array events{ran({.tid = 5, .used_ns = 10}), ran({.tid = 6, .used_ns = 20})};
  std::array<cppland_decision, 1> room{};
  EXPECT_EQ(h.host.take(events, kMoment, room), 1U);
  EXPECT_EQ(room[0].tid, 5);

  EXPECT_EQ(h.take({ran({.tid = 6, .used_ns = 3})}).size(), 1U);
  EXPECT_THAT(h.log(), ElementsAre("renew 5 used 10", "renew 6 used 23"));
}

// --- whatever happens ---

// Everybody who is ready and not gone is decided once, for the wait that was announced last.
RC_GTEST_PROP(PolicyHostProperty, DecidesEachWaitOnce, ()) {
  PolicyHost<policies::Fifo> host({.task_capacity = 64});
  std::map<std::int32_t, std::uint64_t> waiting;
  std::map<std::int32_t, std::uint32_t> incarnation;
  std::uint32_t wait = 0;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::int32_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange(1, 40)));
  std::array<cppland_decision, 4> room{};
  for (const auto& [operation, tid] : steps) {
    const EventOf event{.tid = tid, .generation = generation(incarnation[tid], ++wait)};
    if (operation <= 3) {
      host.take(std::array{ready(event)}, kMoment, room);
      waiting[tid] = event.generation;
    } else if (operation == 4) {
      host.take(std::array{gone(event)}, kMoment, room);
      // Unless what waits is an earlier task, whose end went unheard.
      if (waiting.contains(tid) && waiting[tid] >> 32U == event.generation >> 32U) {
        waiting.erase(tid);
      }
      ++incarnation[tid];
    } else if (operation == 5) {
      host.take(std::array{ran(event)}, kMoment, room);
      waiting.erase(tid);
    } else if (operation == 6) {
      ++incarnation[tid];  // its end goes unheard
    } else {
      const std::size_t expected = std::min(waiting.size(), room.size());
      RC_ASSERT(host.decide(kMoment, room) == expected);
      for (std::size_t i = 0; i < expected; ++i) {
        const auto found = waiting.find(room[i].tid);
        RC_ASSERT(found != waiting.end() && found->second == room[i].generation);
        waiting.erase(found);
      }
    }
    RC_ASSERT(host.waiting() == waiting.size());
  }
}

}  // namespace
}  // namespace cppland
