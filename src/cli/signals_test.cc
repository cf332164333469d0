// SPDX-License-Identifier: GPL-2.0-only
// signals_test.cc - signals wait to be taken, through any number of restarts.

#include "cli/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace cppland::cli {
namespace {

bool readable(const StopSignals& signals) {
  pollfd entry{signals.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

class StopSignalsTest : public ::testing::Test {
 protected:
  StopSignalsTest() {
    pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    signals_ = StopSignals::block();
  }
  ~StopSignalsTest() override {
    while (signals_ && signals_->take() != 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  StopSignalsTest(const StopSignalsTest&) = delete;
  StopSignalsTest& operator=(const StopSignalsTest&) = delete;

  sigset_t before_{};
  Result<StopSignals> signals_ = error(0, "not made");
};

TEST_F(StopSignalsTest, HasNoneAtFirst) {
  ASSERT_TRUE(signals_);
  EXPECT_FALSE(readable(*signals_));
  EXPECT_EQ(signals_->take(), 0);
}

TEST_F(StopSignalsTest, TakesEachOnce) {
  ASSERT_TRUE(signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::kill(::getpid(), signal);
    EXPECT_TRUE(readable(*signals_)) << signal;
    EXPECT_EQ(signals_->take(), signal);
    EXPECT_FALSE(readable(*signals_)) << signal;
    EXPECT_EQ(signals_->take(), 0) << signal;
  }
}

TEST_F(StopSignalsTest, KeepsSeveralUntilTheyAreTaken) {
  ASSERT_TRUE(signals_);
  ::kill(::getpid(), SIGTERM);
  ::kill(::getpid(), SIGINT);
  const int first = signals_->take();
  const int second = signals_->take();
  EXPECT_EQ(first + second, SIGTERM + SIGINT);
  EXPECT_NE(first, second);
  EXPECT_EQ(signals_->take(), 0);
}

// A restart is made with the same object; a signal during the one life must end the next.
TEST_F(StopSignalsTest, SurvivesARestart) {
  ASSERT_TRUE(signals_);
  ::kill(::getpid(), SIGINT);
  ASSERT_EQ(signals_->take(), SIGINT);
  const StopSignals moved = std::move(*signals_);
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(moved.take(), SIGTERM);
}

TEST_F(StopSignalsTest, TakesWhatArrivesInThreadsStartedLater) {
  ASSERT_TRUE(signals_);
  std::thread([] { ::kill(::getpid(), SIGHUP); }).join();
  EXPECT_EQ(signals_->take(), SIGHUP);
}

}  // namespace
}  // namespace cppland::cli
