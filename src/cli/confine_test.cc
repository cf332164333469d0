// SPDX-License-Identifier: GPL-2.0-only
// confine_test.cc - what is given up is gone, for every thread; what is needed still works.
#include "cli/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <semaphore>
#include <thread>

namespace cppland::cli {
namespace {

// In a process of its own: none comes back from this.
int status_of(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

class Confine : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    GTEST_SKIP() << "AddressSanitizer makes system calls of its own";
#endif
#endif
  }
};

template <typename Call>
bool refused(Call call) {
  errno = 0;
  return call() < 0 && errno == EPERM;
}

bool everything_is_refused() {
  char* const none[] = {nullptr};
  return refused([] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }) &&
         refused([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }) &&
         refused([&] { return ::execve("/bin/true", none, none); }) &&
         refused([] { return ::kill(::getppid(), 0); }) &&
         refused([] { return ::unlink("/nowhere"); }) &&
         refused([] { return ::setpriority(PRIO_PROCESS, 0, 0); }) && refused([] {
           return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                         0) == MAP_FAILED
                      ? -1
                      : 0;
         });
}

TEST_F(Confine, RefusesWhatASchedulerDoesNotNeed) {
  EXPECT_EQ(status_of([] { return confine().has_value() && everything_is_refused(); }), 0);
}

TEST_F(Confine, RefusesItToThreadsThatThereAreAlready) {
  EXPECT_EQ(status_of([] {
              std::binary_semaphore confined(0);
              bool held = false;
              std::thread other([&] {
                confined.acquire();
                held = everything_is_refused();
              });
              const bool done = confine().has_value();
              confined.release();
              other.join();
              return done && held;
            }),
            0);
}

TEST_F(Confine, LeavesWhatItNeeds) {
  EXPECT_EQ(status_of([] {
              int ends[2];
              if (::pipe(ends) != 0 || !confine()) return false;
              pollfd readable{.fd = ends[0], .events = POLLIN, .revents = 0};
              char byte = 1;
              rusage usage{};
              return ::write(ends[1], &byte, 1) == 1 && ::poll(&readable, 1, 1000) == 1 &&
                     ::read(ends[0], &byte, 1) == 1 && ::sched_yield() == 0 &&
                     ::getrusage(RUSAGE_SELF, &usage) == 0 && ::close(ends[0]) == 0;
            }),
            0);
}

}  // namespace
}  // namespace cppland::cli
