// SPDX-License-Identifier: GPL-2.0-only
// perf_trace_test.cc - lines of several versions of perf, and the lives that they tell of.
#include "sim/workloads/perf_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "sim/workloads/perf_line.h"

namespace cppland::sim::perf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Line parsed(const std::string& line) {
  const auto parsed = parse_line(line);
  EXPECT_TRUE(parsed) << line;
  return parsed.value_or(Line{});
}

TEST(PerfLine, TakesASwitchInEveryForm) {
  for (const std::string line : {
           "a 1 [000] 12.000345: sched:sched_switch: prev_comm=a b pid=9 prev_pid=7 prev_prio=120 "
           "prev_state=D ==> next_comm=c ==> d next_pid=8 next_prio=100",
           "a 1 [000] 12.000345678: sched_switch: a b pid=9:7 [120] D ==> c ==> d:8 [100]",
           "a b/1 [3] 12.000345:   1 sched:sched_switch: prev_comm=a b pid=9 prev_pid=7 "
           "prev_prio=120 prev_state=D|W ==> next_comm=c ==> d next_pid=8 next_prio=100",
           "a-1     (   7) [003] d..2.   12.000345: sched_switch: prev_comm=a b pid=9 prev_pid=7 "
           "prev_prio=120 prev_state=D ==> next_comm=c ==> d next_pid=8 next_prio=100",
           "1.5: 7 [000] 12.000345: sched:sched_switch: a b pid=9:7 [120] D ==> c ==> d:8 [100]",
       }) {
    const Line read = parsed(line);
    EXPECT_EQ(read.kind, Line::Kind::kSwitch);
    EXPECT_EQ(read.at / 1000, 12'000'345U) << line;
    EXPECT_EQ(read.who.comm, "a b pid=9");
    EXPECT_EQ(read.who.tid, 7);
    EXPECT_EQ(read.who.prio, 120);
    EXPECT_EQ(read.state, 'D');
    EXPECT_EQ(read.other.comm, "c ==> d");
    EXPECT_EQ(read.other.tid, 8);
    EXPECT_EQ(read.other.prio, 100);
  }
}

TEST(PerfLine, TakesWakeUpsForksAndExits) {
  for (const std::string line : {
           "x 0 [000] 1.5: sched:sched_wakeup: comm=a b pid=7 prio=110 success=1 target_cpu=002",
           "x 0 [000] 1.5: sched:sched_waking: comm=a b pid=7 prio=110 target_cpu=002",
           "x 0 [000] 1.5: sched:sched_wakeup_new: a b:7 [110] success=1 CPU:002",
           "x 0 [000] 1.5: sched:sched_wakeup: a b:7 [110] CPU:002",
       }) {
    const Line read = parsed(line);
    EXPECT_EQ(read.kind, Line::Kind::kWakeup);
    EXPECT_EQ(read.at, 1'500'000'000U);
    EXPECT_EQ(read.who.comm, "a b");
    EXPECT_EQ(read.who.tid, 7);
    EXPECT_EQ(read.who.prio, 110);
  }
  const Line fork =
      parsed("b 5 [001] 2.000001: sched:sched_process_fork: comm=b pid=5 child_comm=b child_pid=6");
  EXPECT_EQ(fork.kind, Line::Kind::kFork);
  EXPECT_EQ(fork.who.tid, 5);
  EXPECT_EQ(fork.other.tid, 6);
  const Line exit =
      parsed("b 5 [001] 2.1: sched:sched_process_exit: comm=b pid=5 prio=120 group_dead=true");
  EXPECT_EQ(exit.kind, Line::Kind::kExit);
  const Line other = parsed("b 5 [001] 2.1: sched:sched_stat_runtime: comm=b pid=5 runtime=1");
  EXPECT_EQ(other.kind, Line::Kind::kOther);
}

TEST(PerfLine, KnowsTheCpu) {
  const std::string event = "sched:sched_wakeup: comm=a pid=7 prio=110 target_cpu=002";
  EXPECT_EQ(parsed("x 0 [003] 1.5: " + event).cpu, 3);
  EXPECT_EQ(parsed("x [9] 0 [012] 1.5: " + event).cpu, 12);
  EXPECT_EQ(parsed("a-1     (   7) [003] d..2.   12.000345: " + event).cpu, 3);
  EXPECT_EQ(parsed("x [] 0 1.5: " + event).cpu, -1);
  EXPECT_EQ(parsed("x [-1] 0 [x] 1.5: " + event).cpu, -1);
}

TEST(PerfLine, RefusesWhatItDoesNotUnderstand) {
  for (const std::string line : {
           "",
           "hello",
           "a 1 [000] 12.0",
           "a 1 [000] 12.0:",
           "a 1 [000] 12.0: x",
           "        ffffffff8123 schedule ([kernel.kallsyms])",
           "a 1 [000] 12.0: sched:sched_switch: prev_comm=a prev_pid=7 prev_prio=120",
           "1.0: sched_switch: prev_comm=a prev_pid=x prev_state=S ==> next_comm=b next_pid=1",
           "1.0: sched_switch: prev_comm=a prev_pid=-1 prev_state=S ==> next_comm=b next_pid=1",
           "a 1 [000] 12.0: sched:sched_switch: a:1 [120] ==> b:2 [120]",
           "a 1 [000] 12.0: sched:sched_switch: a [120] S ==> b:2 [120]",
           "a 1 [000] 12.0: sched:sched_wakeup: comm=a prio=1",
           "a 1 [000] 12.0: sched:sched_process_fork: comm=a pid=1",
           "a 1 [000] 12.0000000001: sched:sched_stat_runtime: comm=a",
       }) {
    EXPECT_FALSE(parse_line(line)) << line;
  }
}

// A recording that begins at second 1; lines are "us event: text".
std::string lines(std::initializer_list<std::pair<unsigned, const char*>> events) {
  std::string text;
  for (const auto& [us, event] : events) text += fmt::format("x 1 [0] 1.{:06}: {}\n", us, event);
  return text;
}

Trace trace_of(std::string_view text) {
  auto trace = parse_trace(text);
  EXPECT_TRUE(trace) << trace.error().message();
  return trace ? *trace : Trace{};
}

TEST(PerfTrace, SleepsLastFromTheEndOfARunToTheWakeUp) {
  const Trace trace = trace_of(lines({
      {10, "sched_switch: i:0 [120] R ==> a:1 [120]"},
      {30, "sched_switch: a:1 [120] S ==> i:0 [120]"},
      {70, "sched_waking: comm=a pid=1 prio=120 target_cpu=0"},
      {75, "sched_wakeup: a:1 [120] CPU:0"},
      {90, "sched_switch: i:0 [120] R ==> a:1 [120]"},
      {95, "sched_switch: a:1 [120] D ==> i:0 [120]"},
  }));
  ASSERT_EQ(trace.threads.size(), 1U);
  const Thread& a = trace.threads[0];
  EXPECT_EQ(a.start, 0U);
  ASSERT_EQ(a.phases.size(), 2U);
  EXPECT_EQ(a.phases[0].run, 20'000U);
  EXPECT_EQ(a.phases[0].sleep, 40'000U);
  EXPECT_EQ(a.phases[1].run, 5'000U);
  EXPECT_EQ(trace.length, 85'000U);
  EXPECT_EQ(trace.wakeups.count, 2U);
}

TEST(PerfTrace, PreemptionIsNoSleep) {
  for (const char* state : {"R", "R+"}) {
    const std::string out = fmt::format("sched_switch: a:1 [120] {} ==> b:2 [110]", state);
    const Trace trace = trace_of(lines({
        {0, "sched_switch: i:0 [120] R ==> a:1 [120]"},
        {10, out.c_str()},
        {30, "sched_switch: b:2 [110] S ==> a:1 [120]"},
        {70, "sched_switch: a:1 [120] S ==> i:0 [120]"},
    }));
    ASSERT_EQ(trace.threads.size(), 2U);
    ASSERT_EQ(trace.threads[0].phases.size(), 1U);
    EXPECT_EQ(trace.threads[0].phases[0].run, 50'000U);
    EXPECT_EQ(trace.threads[1].start, 10'000U);
    EXPECT_EQ(trace.threads[1].prio, 110);
  }
}

TEST(PerfTrace, WithoutWakeUpsSleepsLastUntilItRunsAgain) {
  const Trace trace = trace_of(lines({
      {0, "sched_switch: i:0 [120] R ==> a:1 [120]"},
      {10, "sched_switch: a:1 [120] S ==> i:0 [120]"},
      {50, "sched_switch: i:0 [120] R ==> a:1 [120]"},
  }));
  ASSERT_EQ(trace.threads.at(0).phases.size(), 1U);  // it has not run at all in the second
  EXPECT_EQ(trace.threads[0].phases[0].sleep, 40'000U);
  EXPECT_EQ(trace.wakeups.count, 0U);
}

TEST(PerfTrace, WhoRunsWhenTheRecordingBeginsHasRunSinceThen) {
  const Trace trace = trace_of(lines({
      {5, "sched_waking: comm=b pid=2 prio=120 target_cpu=0"},
      {10, "sched_switch: a:1 [120] S ==> b:2 [120]"},
      {40, "sched_switch: b:2 [120] R ==> c:3 [120]"},
  }));
  ASSERT_EQ(trace.threads.size(), 2U);  // c is never seen to end its run
  EXPECT_EQ(trace.threads[0].comm, "b");
  EXPECT_EQ(trace.threads[0].start, 0U);
  EXPECT_EQ(trace.threads[0].phases.at(0).run, 30'000U);
  EXPECT_EQ(trace.threads[1].comm, "a");
  EXPECT_EQ(trace.threads[1].phases.at(0).run, 5'000U);
}

TEST(PerfTrace, AnIdThatIsUsedAgainIsAnotherThread) {
  const Trace trace = trace_of(lines({
      {0, "sched_switch: i:0 [120] R ==> a:1 [120]"},
      {10, "sched_switch: a:1 [120] X ==> i:0 [120]"},
      {20, "sched_process_fork: comm=s pid=9 child_comm=s child_pid=1"},
      {30, "sched_switch: i:0 [120] R ==> b:1 [120]"},
      {35, "sched_switch: b:1 [120] Z ==> i:0 [120]"},
  }));
  ASSERT_EQ(trace.threads.size(), 2U);
  EXPECT_EQ(trace.threads[0].comm, "a");
  EXPECT_FALSE(trace.threads[0].forked);
  EXPECT_EQ(trace.threads[1].comm, "b");
  EXPECT_TRUE(trace.threads[1].forked);
  EXPECT_EQ(trace.threads[1].start, 20'000U);
  EXPECT_EQ(trace.threads[1].phases.at(0).run, 5'000U);
}

TEST(PerfTrace, CountsBadLinesAndGoesOn) {
  const Trace trace =
      trace_of("# cmdline\n\ngarbage\n" + lines({
                                              {0, "sched_switch: i:0 [120] R ==> a:1 [120]"},
                                              {4, "sched_switch: i:0 [120"},
                                              {10, "sched_switch: a:1 [120] S ==> i:0 [120]"},
                                          }));
  EXPECT_EQ(trace.bad.count, 2U);
  EXPECT_EQ(trace.bad.first, 3U);
  EXPECT_EQ(trace.lines, 6U);
  EXPECT_EQ(trace.threads.size(), 1U);
}

TEST(PerfTrace, TimeThatGoesBackIsAnErrorWithItsLine) {
  const auto trace =
      parse_trace("# cmdline\n" + lines({
                                      {100, "sched_switch: i:0 [120] R ==> a:1 [120]"},
                                      {120, "sched_switch: a:1 [120] S ==> i:0 [120]"},
                                      {120, "sched_wakeup: a:1 [120] CPU:0"},
                                      {90, "sched_stat_runtime: whatever"},
                                  }));
  ASSERT_FALSE(trace);
  EXPECT_THAT(trace.error().tried(), ::testing::StartsWith("line 5: time goes back, by 30 us: "));
  EXPECT_THAT(trace.error().tried(), HasSubstr("perf sched script"));
}

// Lines of several CPUs, as "us cpu from state to".
struct Over {
  unsigned us;
  int cpu;
  int from;
  char state;
  int to;
};

std::string switches(std::initializer_list<Over> all) {
  std::string text;
  for (const Over& each : all)
    text += fmt::format("x 1 [{:03}] 1.{:06}: sched_switch: t:{} [120] {} ==> t:{} [120]\n",
                        each.cpu, each.us, each.from, each.state, each.to);
  return text;
}

// Of a thread; none if it is not there.
std::vector<std::uint64_t> runs_in_us(const Trace& trace, int tid) {
  std::vector<std::uint64_t> runs;
  for (const Thread& thread : trace.threads) {
    if (thread.tid != tid) continue;
    for (const Phase& phase : thread.phases) runs.push_back(phase.run / 1000);
  }
  return runs;
}

TEST(PerfTrace, WhereNothingIsMissingNothingIsSaid) {
  const Trace trace = trace_of(switches({{0, 0, 0, 'R', 1},
                                         {5, 1, 2, 'S', 0},
                                         {10, 0, 1, 'R', 3},
                                         {20, 1, 0, 'R', 1},
                                         {30, 0, 3, 'S', 0},
                                         {40, 1, 1, 'S', 2},
                                         {50, 1, 2, 'S', 0}}));
  EXPECT_EQ(trace.switches.count, 7U);
  EXPECT_EQ(trace.gaps.count, 0U);
  EXPECT_EQ(trace.losses.count, 0U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(30));
  EXPECT_THAT(runs_in_us(trace, 2), ElementsAre(5, 10));
  EXPECT_THAT(runs_in_us(trace, 3), ElementsAre(20));
}

// It would seem to run until the end, or until it runs again.
TEST(PerfTrace, ARunWithoutAnEndIsLeftOut) {
  const Trace trace = trace_of(switches({{0, 0, 0, 'R', 1},
                                         {10, 0, 1, 'R', 2},
                                         {20, 0, 2, 'R', 1},
                                         {1000, 0, 3, 'S', 2},
                                         {1010, 0, 2, 'S', 0},
                                         {5000, 0, 0, 'R', 3}}));
  EXPECT_EQ(trace.gaps.count, 1U);
  EXPECT_EQ(trace.gaps.first, 4U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(10));
  EXPECT_THAT(runs_in_us(trace, 2), ElementsAre(20));
  EXPECT_THAT(runs_in_us(trace, 3), ElementsAre(0));
}

TEST(PerfTrace, ARunWithoutABeginningIsLeftOut) {
  const Trace trace = trace_of(switches(
      {{0, 0, 0, 'R', 1}, {10, 0, 1, 'S', 0}, {1000, 0, 1, 'S', 2}, {1020, 0, 2, 'S', 0}}));
  EXPECT_EQ(trace.gaps.count, 1U);
  EXPECT_EQ(trace.gaps.first, 3U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(10, 0));
  EXPECT_THAT(runs_in_us(trace, 2), ElementsAre(20));
}

// One switch is missing, and two lines show it.
TEST(PerfTrace, AThreadOnTwoCpusIsOneGap) {
  const Trace trace = trace_of(switches({{0, 0, 0, 'R', 1},
                                         {100, 1, 0, 'R', 1},
                                         {110, 1, 1, 'S', 0},
                                         {200, 0, 2, 'S', 3},
                                         {210, 0, 3, 'S', 0}}));
  EXPECT_EQ(trace.gaps.count, 1U);
  EXPECT_EQ(trace.gaps.first, 2U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(10));
  EXPECT_THAT(runs_in_us(trace, 3), ElementsAre(10));
}

TEST(PerfTrace, AThreadThatStopsOnAnotherCpuIsAGap) {
  const Trace trace = trace_of(
      switches({{0, 0, 0, 'R', 1}, {50, 1, 1, 'S', 2}, {60, 1, 2, 'S', 0}, {70, 0, 3, 'S', 0}}));
  EXPECT_EQ(trace.gaps.count, 1U);
  EXPECT_EQ(trace.gaps.first, 2U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(0));
  EXPECT_THAT(runs_in_us(trace, 2), ElementsAre(10));
}

// As perf itself does while it begins to record, CPU by CPU.
TEST(PerfTrace, WhoComesToACpuBeforeItIsRecordedIsNoGap) {
  const Trace trace =
      trace_of(switches({{0, 0, 1, 'D', 0}, {50, 1, 1, 'S', 2}, {70, 1, 2, 'S', 0}}));
  EXPECT_EQ(trace.gaps.count, 0U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(0, 0));
  EXPECT_THAT(runs_in_us(trace, 2), ElementsAre(20));
}

TEST(PerfTrace, WithoutCpusAThreadThatRunsTwiceIsAGap) {
  const Trace trace = trace_of(
      "1.000000: sched_switch: t:0 [120] R ==> t:1 [120]\n"
      "1.000100: sched_switch: t:0 [120] R ==> t:1 [120]\n"
      "1.000110: sched_switch: t:1 [120] S ==> t:0 [120]\n");
  EXPECT_EQ(trace.gaps.first, 2U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(10));
}

TEST(PerfTrace, AnIdThatIsUsedAgainWhileItRunsIsAGap) {
  const Trace trace = trace_of(switches({{0, 0, 0, 'R', 1}}) +
                               "x 2 [001] 1.000500: sched_process_fork: comm=s pid=9 child_comm=s "
                               "child_pid=1\n" +
                               switches({{1000, 1, 0, 'R', 1}, {1010, 1, 1, 'S', 0}}));
  EXPECT_EQ(trace.gaps.first, 2U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(10));
}

// A wake-up may come between the recording's beginning and the first switch of who runs.
TEST(PerfTrace, WhoIsWokenWhileItRunsHasRunSinceTheBeginning) {
  const Trace trace = trace_of(
      "x 2 [001] 1.000000: sched_stat_runtime: nothing\n"
      "x 2 [001] 1.000010: sched_waking: comm=t pid=1 prio=120 target_cpu=0\n" +
      switches({{30, 0, 1, 'S', 0}}));
  EXPECT_EQ(trace.gaps.count, 0U);
  EXPECT_THAT(runs_in_us(trace, 1), ElementsAre(30));
}

TEST(PerfTrace, NamesCannotSpeakToATerminal) {
  const Trace trace = trace_of(lines({
      {10, "sched_switch: i:0 [120] R ==> a\x1b[31mb:1 [120]"},
      {30, "sched_switch: a\x1b[31mb:1 [120] S ==> i:0 [120]"},
  }));
  ASSERT_EQ(trace.threads.size(), 1U);
  EXPECT_EQ(trace.threads[0].comm, "a?[31mb");
}

TEST(PerfTrace, CountsLinesThatTellOfALoss) {
  for (const std::string loss : {
           "x 1 [000] 1.000005: PERF_RECORD_LOST lost 12",
           "x 1 [000] 1.000005: PERF_RECORD_LOST_SAMPLES lost 12",
           "Processed 13203 events and lost 3 chunks!",
           "CPU:0 [LOST 12 EVENTS]",
           "CPU:2 [12 EVENTS DROPPED]",
           "LOST 12 events",
       }) {
    const Trace trace =
        trace_of(switches({{0, 0, 0, 'R', 1}}) + loss + "\n" + switches({{10, 0, 1, 'S', 0}}));
    EXPECT_EQ(trace.losses.count, 1U) << loss;
    EXPECT_EQ(trace.losses.first, 2U) << loss;
    EXPECT_EQ(trace.bad.count, 0U) << loss;
  }
}

TEST(PerfTrace, NothingUsableIsAnErrorThatSaysWhatToDo) {
  for (const std::string_view text :
       {"", "hello\nworld\n", "x 1 [0] 1.0: sched_stat_wait: a\n",
        // Neither run has a beginning, as in a recording of one command.
        "x 2 [0] 1.0: sched_process_fork: comm=s pid=9 child_comm=s child_pid=1\n"
        "x 1 [0] 1.1: sched_switch: t:1 [120] S ==> t:0 [120]\n"
        "x 1 [0] 1.2: sched_switch: t:1 [120] S ==> t:0 [120]\n"}) {
    const auto trace = parse_trace(text);
    ASSERT_FALSE(trace);
    EXPECT_THAT(trace.error().message(), HasSubstr("perf sched record"));
  }
}

Trace trace_in(const std::string& file) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const std::string folder = std::getenv("CPPLAND_TEST_DATA");
  const auto text = read_file(folder + "/perf/" + file);
  EXPECT_TRUE(text);
  return trace_of(text ? *text : "");
}

TEST(PerfTrace, UnderstandsAllThatPerfPrinted) {
  const Trace trace = trace_in("recorded.txt");
  EXPECT_EQ(trace.bad.count, 0U);
  EXPECT_EQ(trace.gaps.count, 0U) << trace.gaps.first;
  EXPECT_GT(trace.wakeups.count, 10U);
  EXPECT_GE(trace.threads.size(), 3U);
}

TEST(PerfTrace, ReadsAWholeRecording) {
  const Trace trace = trace_in("sched-script.txt");
  EXPECT_EQ(trace.bad.count, 0U);
  EXPECT_EQ(trace.gaps.count, 0U) << trace.gaps.first;
  EXPECT_EQ(trace.length, 20'000'000U);
  ASSERT_EQ(trace.threads.size(), 6U);
  EXPECT_EQ(trace.threads[0].comm, "hog");
  EXPECT_EQ(trace.threads[0].phases.size(), 1U);
  EXPECT_EQ(trace.threads[1].comm, "player main");
  EXPECT_EQ(trace.threads[1].phases.at(0).sleep, 8'988'000U);
  EXPECT_EQ(trace.threads[3].comm, "cc1");
  EXPECT_TRUE(trace.threads[3].forked);
}

}  // namespace
}  // namespace cppland::sim::perf
