// SPDX-License-Identifier: GPL-2.0-only
// agent_thread_test.cc - the agent's thread from start to end, in every order.

#include "agent/agent_thread.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace cppland {
namespace {

bool readable(int fd, int timeout_ms) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1 && (entry.revents & POLLIN) != 0;
}

// Work that lasts until it is told to end.
void until_stopped(const std::atomic<bool>& stop) {
  while (!stop) {
    std::this_thread::yield();
  }
}

TEST(AgentThread, MayNeverStart) {
  AgentThread thread;
  EXPECT_EQ(thread.tid(), 0);
  thread.stop();
}

TEST(AgentThread, IsKnownByItsTidOnceStarted) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  EXPECT_GT(thread.tid(), 0);
  EXPECT_NE(thread.tid(), ::gettid());
  EXPECT_TRUE(std::filesystem::exists("/proc/self/task/" + std::to_string(thread.tid())));
}

TEST(AgentThread, WorksUnderThatTidAndAName) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  pid_t tid = 0;
  std::array<char, 16> name{};
  thread.go([&](const std::atomic<bool>& /*stop*/) {
    tid = ::gettid();
    pthread_getname_np(pthread_self(), name.data(), name.size());
  });
  EXPECT_TRUE(readable(thread.ended_fd(), 10'000));
  thread.stop();
  EXPECT_EQ(tid, thread.tid());
  EXPECT_STREQ(name.data(), "cppland-agent");
}

TEST(AgentThread, IsOfTheOrdinaryClassWhateverItsMakerIs) {
  for (const auto& [makers, priority] : {std::pair{SCHED_BATCH, 0}, std::pair{SCHED_FIFO, 50}}) {
    int policy = -1;
    const sched_param parameter{.sched_priority = priority};
    std::thread([&policy, &parameter, maker = makers] {
      if (::sched_setscheduler(0, maker, &parameter) != 0 && errno == EPERM)
        return;  // SCHED_FIFO is for the privileged
      AgentThread thread;
      const auto started = thread.start();
      ASSERT_TRUE(started) << started.error().message();
      policy = ::sched_getscheduler(thread.tid());
    }).join();
    if (policy != -1 || makers == SCHED_BATCH) {
      EXPECT_EQ(policy, SCHED_OTHER);
    }
  }
}

TEST(AgentThread, IsNotWaitedForIfItsWorkDoesNotEnd) {
  std::atomic<bool> may_end = false;
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.go([&](const std::atomic<bool>& /*stop*/) { until_stopped(may_end); });
  EXPECT_FALSE(thread.stop_within(std::chrono::seconds(1)));
  may_end = true;
  EXPECT_TRUE(thread.stop_within(std::chrono::seconds(60)));
}

TEST(AgentThread, IsReachedByNoSignal) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  sigset_t blocked;
  thread.go(
      [&](const std::atomic<bool>& /*stop*/) { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); });
  ASSERT_TRUE(readable(thread.ended_fd(), 10'000));
  thread.stop();
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool own_by_libc = signal > 31 && signal < SIGRTMIN;
    if (signal != SIGKILL && signal != SIGSTOP && !own_by_libc) {
      EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
    }
  }
}

TEST(AgentThread, LeavesTheSignalsOfItsMakerAlone) {
  sigset_t before;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
  }
}

TEST(AgentThread, WaitsUntilItMayGo) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  EXPECT_FALSE(readable(thread.ended_fd(), 20));
}

TEST(AgentThread, WorksOnce) {
  std::atomic<int> times = 0;
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.go([&](const std::atomic<bool>& stop) {
    ++times;
    EXPECT_FALSE(stop);
  });
  EXPECT_TRUE(readable(thread.ended_fd(), 10'000));
  thread.stop();
  EXPECT_EQ(times, 1);
}

TEST(AgentThread, SaysWhenItsWorkHasEndedByItself) {
  std::promise<void> end;
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.go([&](const std::atomic<bool>& /*stop*/) { end.get_future().wait(); });
  EXPECT_FALSE(readable(thread.ended_fd(), 20));
  end.set_value();
  EXPECT_TRUE(readable(thread.ended_fd(), 10'000));
}

TEST(AgentThread, EndsItsWorkAndWaitsForIt) {
  std::atomic<bool> ended = false;
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.go([&](const std::atomic<bool>& stop) {
    until_stopped(stop);
    ended = true;
  });
  thread.stop();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(std::filesystem::exists("/proc/self/task/" + std::to_string(thread.tid())));
}

TEST(AgentThread, StopsBeforeItMayGo) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.stop();
  EXPECT_TRUE(readable(thread.ended_fd(), 0));
}

TEST(AgentThread, StopsRightAfterItMayGo) {
  for (int i = 0; i < 200; ++i) {
    AgentThread thread;
    ASSERT_TRUE(thread.start());
    thread.go(until_stopped);
    thread.stop();
  }
}

TEST(AgentThread, StopsTwice) {
  AgentThread thread;
  ASSERT_TRUE(thread.start());
  thread.go(until_stopped);
  thread.stop();
  thread.stop();
}

TEST(AgentThread, StopsAtItsEnd) {
  std::atomic<bool> ended = false;
  {
    AgentThread working;
    AgentThread waiting;
    ASSERT_TRUE(working.start());
    ASSERT_TRUE(waiting.start());
    working.go([&](const std::atomic<bool>& stop) {
      until_stopped(stop);
      ended = true;
    });
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace cppland
