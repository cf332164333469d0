// SPDX-License-Identifier: GPL-2.0-only
// agent_quiet_test.cc - once it runs, the agent takes no memory, no lock, no page fault and makes
// no system call, whatever comes and goes.

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <vector>

#include "agent/agent.h"
#include "agent/agent_thread.h"
#include "agent/memory.h"
#include "policies/deadline.h"
#include "policies/fifo.h"
#include "tests/support/allocations.h"
#include "tests/support/events.h"
#include "tests/support/sanitizers.h"

namespace cppland {
namespace {

using ::cppland::testing::allocations;
using ::cppland::testing::EventOf;
using ::cppland::testing::generation;
using ::cppland::testing::locks;

constexpr std::uint64_t kPasses = 100'000;

// Thousands of tasks that wake, wait, run, exit and come back under the tid of another; more than a
// policy can remember. All that it needs it has from its constructor on.
class Crowd final : public Kernel {
 public:
  explicit Crowd(std::uint64_t passes) : tasks_(kTids), passes_left_(passes) {}

  [[nodiscard]] bool attached() const noexcept override { return passes_left_ > 0; }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now_; }
  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return 20; }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return 4; }

  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    const std::size_t n = std::min(out.size(), events_left_);
    for (cppland_event& event : out.first(n)) {
      event = next_event();
    }
    events_left_ -= n;
    events_ += n;
    return n;
  }

  std::size_t write_decisions(std::span<const cppland_decision> made) noexcept override {
    decisions_ += made.size();
    return random() % 16 == 0 ? made.size() / 2 : made.size();
  }

  void park(std::uint32_t /*nr_scheduled*/) noexcept override {
    now_ += 50'000 + random() % 1'000'000;
    // Mostly a few, now and then more than a batch.
    events_left_ = random() % 64 == 0 ? 300 : random() % 24;
    --passes_left_;
  }

  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t decisions() const { return decisions_; }

 private:
  static constexpr std::size_t kTids = 20'000;
  static_assert(kTids > kDefaultTaskCapacity);

  struct One {
    std::uint32_t incarnation = 0;
    std::uint32_t wait = 0;
  };

  std::uint64_t random() noexcept {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }

  cppland_event next_event() noexcept {
    const std::size_t which = random() % kTids;
    One& one = tasks_[which];
    const std::uint64_t what = random() % 16;
    const auto type = what == 0  ? CPPLAND_EVENT_GONE
                      : what < 4 ? CPPLAND_EVENT_RAN
                                 : CPPLAND_EVENT_READY;
    const cppland_event event = EventOf{.tid = static_cast<std::int32_t>(which + 1),
                                        .generation = generation(one.incarnation, ++one.wait),
                                        .used_ns = random() % 3'000'000,
                                        .exec_runtime_ns = random() % 30'000'000,
                                        .at_ns = now_,
                                        .weight = static_cast<std::uint32_t>(1 + random() % 10'000)}
                                    .of_type(type);
    one.incarnation += type == CPPLAND_EVENT_GONE ? 1 : 0;
    return event;
  }

  std::vector<One> tasks_;
  std::uint64_t passes_left_;
  std::uint64_t now_ = 1'000'000'000;
  std::uint64_t state_ = 88172645463325252;
  std::size_t events_left_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t decisions_ = 0;
};

template <typename P>
class AgentQuietTest : public ::testing::Test {
 protected:
  Crowd kernel_{kPasses};
  PolicyHost<P> host_{PolicyConfig{.nr_cpus = 4}};
  Agent agent_{kernel_, host_};
  std::atomic<bool> stop_ = false;
};

using Policies = ::testing::Types<policies::Deadline, policies::Fifo>;
TYPED_TEST_SUITE(AgentQuietTest, Policies);

TEST(Counting, SeesAllocationsAndLocks) {
  const std::uint64_t allocations_before = allocations();
  auto number = std::make_unique<int>(1);
  void* memory = std::malloc(100);  // NOLINT(cppcoreguidelines-no-malloc)
  // So that neither is optimised away.
  asm volatile("" : : "r"(number.get()), "r"(memory) : "memory");
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
  EXPECT_EQ(allocations() - allocations_before, 2U);

  if (!testing::kSanitized) {
    const std::uint64_t locks_before = locks();
    std::mutex mutex;
    mutex.lock();
    mutex.unlock();
    EXPECT_EQ(locks() - locks_before, 1U);
  }
}

TYPED_TEST(AgentQuietTest, TakesNoMemoryAndNoLock) {
  const std::uint64_t allocations_before = allocations();
  const std::uint64_t locks_before = locks();

  this->agent_.run(this->stop_);

  EXPECT_EQ(allocations() - allocations_before, 0U);
  EXPECT_EQ(locks() - locks_before, 0U);
  EXPECT_GE(this->kernel_.events(), kPasses * 10);
  EXPECT_GE(this->kernel_.decisions(), kPasses * 5);
}

// The kernel kills a process in strict mode for any call but read, write, exit and sigreturn.
TYPED_TEST(AgentQuietTest, MakesNoSystemCall) {
  if (testing::kSanitized) {
    GTEST_SKIP() << "sanitizers make system calls of their own";
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
      ::_exit(77);
    }
    this->agent_.run(this->stop_);
    ::syscall(SYS_exit, 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "no seccomp here";
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "ended by signal " << WTERMSIG(status);
}

// As the scheduler does it: a thread, memory locked once all is made, then the work.
TYPED_TEST(AgentQuietTest, HasNoPageFault) {
  if (testing::kSanitized) {
    GTEST_SKIP() << "sanitizers leave mlockall() out";
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AgentThread thread;
    if (!thread.start()) {
      ::_exit(76);
    }
    if (!lock_memory()) {
      ::_exit(77);
    }
    std::promise<long> faults;
    thread.go([&](const std::atomic<bool>& stop) {
      rusage before{};
      rusage after{};
      ::getrusage(RUSAGE_THREAD, &before);
      this->agent_.run(stop);
      ::getrusage(RUSAGE_THREAD, &after);
      faults.set_value(after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt);
    });
    ::_exit(static_cast<int>(std::min(faults.get_future().get(), 75L)));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == 77) {
    GTEST_SKIP() << "locking memory is not permitted here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << "page faults, up to 75";
}

}  // namespace
}  // namespace cppland
