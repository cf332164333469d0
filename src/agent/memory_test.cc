// SPDX-License-Identifier: GPL-2.0-only
// memory_test.cc - memory is locked, or the message says what to do. Each test has a process of its
// own, since what it does cannot be undone.

#include "agent/memory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <tuple>

#include "base/file.h"
#include "tests/support/sanitizers.h"

namespace cppland {
namespace {

using ::testing::ExitedWithCode;

constexpr int kRefused = 3;

// Locks the memory of this process and ends it: with 0, or with kRefused and the message on stderr.
[[noreturn]] void lock_and_exit() {
  const Result<void> locked = lock_memory();
  if (!locked) {
    fmt::print(stderr, "{}\n", locked.error().message());
  }
  ::_exit(locked ? 0 : kRefused);
}

// Touches memory that was mapped after locking; ends with 0 if that needs no page fault.
[[noreturn]] void lock_and_touch_and_exit() {
  if (!lock_memory()) {
    ::_exit(kRefused);
  }
  constexpr std::size_t kSize = 1U << 20U;
  void* later = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &before);
  for (std::size_t i = 0; i < kSize; i += 4096) {
    static_cast<volatile char*>(later)[i] = 1;
  }
  ::getrusage(RUSAGE_THREAD, &after);
  ::_exit(after.ru_minflt == before.ru_minflt ? 0 : 1);
}

void limit_locked_memory() {
  constexpr rlim_t kBytes = rlim_t{64} * 1024;
  const rlimit limit{kBytes, kBytes};
  if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
    ::_exit(1);
  }
}

// As a user without privileges, allowed to lock 64 KiB.
[[noreturn]] void lock_unprivileged_and_exit() {
  limit_locked_memory();
  if (::setresuid(65534, 65534, 65534) != 0) {
    ::_exit(1);
  }
  lock_and_exit();
}

// As a privileged user, whom the limit does not bind.
[[noreturn]] void lock_privileged_and_exit() {
  limit_locked_memory();
  lock_and_exit();
}

[[noreturn]] void lock_and_exit_with_thp_disabled() {
  std::ignore = lock_memory();
  ::_exit(::prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

// Whether this process may lock all of its memory: tried in another.
bool locking_is_permitted() {
  const pid_t child = ::fork();
  if (child == 0) {
    lock_and_exit();
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(LockMemory, LocksWhatThereIsAndWhatWillBe) {
  if (testing::kSanitized) {
    GTEST_SKIP() << "sanitizers leave mlockall() out";
  }
  if (!locking_is_permitted()) {
    GTEST_SKIP() << "locking memory is not permitted here";
  }
  EXPECT_EXIT(lock_and_touch_and_exit(), ExitedWithCode(0), "");
}

TEST(LockMemory, KeepsHugePagesOut) {
  EXPECT_EXIT(lock_and_exit_with_thp_disabled(), ExitedWithCode(1), "");
}

TEST(LockMemory, SaysWhatToDoWhenTheLimitForbidsIt) {
  if (testing::kSanitized) {
    GTEST_SKIP() << "sanitizers leave mlockall() out";
  }
  if (::geteuid() != 0) {
    GTEST_SKIP() << "not root: nothing to give up";
  }
  EXPECT_EXIT(
      lock_unprivileged_and_exit(), ExitedWithCode(kRefused),
      "cannot lock the scheduler's memory \\(the limit is 64 KiB\\): run it as root, or raise the "
      "limit on locked memory \\(ulimit -l, LimitMEMLOCK=\\) to at least [0-9]+ KiB: ");
}

TEST(LockMemory, GoesBeyondTheLimitWherePrivilegesAllowIt) {
  if (testing::kSanitized) {
    GTEST_SKIP() << "sanitizers leave mlockall() out";
  }
  if (!locking_is_permitted()) {
    GTEST_SKIP() << "locking memory is not permitted here";
  }
  EXPECT_EXIT(lock_privileged_and_exit(), ExitedWithCode(0), "");
}

TEST(PageFaults, RiseWhenMemoryIsTouchedForTheFirstTime) {
  constexpr std::size_t kPages = 64;
  void* fresh =
      ::mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(fresh, MAP_FAILED);
  ::madvise(fresh, kPages * 4096, MADV_NOHUGEPAGE);
  const std::uint64_t before = page_faults();
  for (std::size_t i = 0; i < kPages; ++i) {
    static_cast<volatile char*>(fresh)[i * 4096] = 1;
  }
  EXPECT_GE(page_faults() - before, kPages / 16) << "some kernels bring in several pages at once";
  ::munmap(fresh, kPages * 4096);
}

}  // namespace
}  // namespace cppland
