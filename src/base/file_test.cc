// SPDX-License-Identifier: GPL-2.0-only
// file_test.cc - whole files in and out, and errors that name the file.

#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <tuple>

namespace cppland {
namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_ = ::testing::TempDir() + "cppland_file_test.XXXXXX";
};

TEST_F(FileTest, ReadsBackWhatItWrote) {
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100'000U}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(write_file(path("f"), text));
    EXPECT_EQ(read_file(path("f")), text) << size;
  }
}

TEST_F(FileTest, WritingReplacesLongerContent) {
  ASSERT_TRUE(write_file(path("f"), "longer"));
  ASSERT_TRUE(write_file(path("f"), "ab"));
  EXPECT_EQ(read_file(path("f")), "ab");
}

TEST_F(FileTest, ReadsFilesThatStateNoSize) {
  const Result<std::string> status = read_file("/proc/self/status");
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->starts_with("Name:"));
}

TEST_F(FileTest, ReadsUpToTheLimit) {
  ASSERT_TRUE(write_file(path("f"), "12345"));
  EXPECT_EQ(read_file(path("f"), 5), "12345");
  EXPECT_EQ(read_file(path("f"), 4).error().code(), EFBIG);
  EXPECT_EQ(read_file("/dev/zero", 10'000).error().code(), EFBIG);
}

TEST_F(FileTest, NamesTheFileThatIsMissing) {
  const Result<std::string> missing = read_file(path("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ENOENT);
  EXPECT_EQ(missing.error().tried(), "open " + path("none"));
}

TEST_F(FileTest, NamesTheFolderThatIsNoFile) {
  EXPECT_EQ(read_file("/").error().code(), EISDIR);
  EXPECT_EQ(write_file("/", "x").error().code(), EISDIR);
  EXPECT_EQ(write_file(path("none/f"), "x").error().code(), ENOENT);
}

TEST_F(FileTest, SaysThatADiskIsFull) {
  EXPECT_EQ(write_file("/dev/full", "x").error().code(), ENOSPC);
}

TEST_F(FileTest, ReadsANumber) {
  ASSERT_TRUE(write_file(path("f"), "123\n"));
  EXPECT_EQ(read_int<std::uint16_t>(path("f")), 123);

  ASSERT_TRUE(write_file(path("f"), "12a\n"));
  const Result<int> garbage = read_int<int>(path("f"));
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().tried(), path("f") + ": parse \"12a\" as a number");
}

TEST_F(FileTest, DescriptorsDoNotReachChildren) {
  const Result<UniqueFd> fd = open_file("/dev/null", O_RDONLY);
  ASSERT_TRUE(fd);
  EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
}

// A signal every millisecond, whose handler does not restart calls.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, nullptr);
    constexpr itimerval kEveryMillisecond{.it_interval = {.tv_sec = 0, .tv_usec = 1000},
                                          .it_value = {.tv_sec = 0, .tv_usec = 1000}};
    ::setitimer(ITIMER_REAL, &kEveryMillisecond, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() {
    constexpr itimerval kNever{};
    ::setitimer(ITIMER_REAL, &kNever, nullptr);
    std::ignore = std::signal(SIGALRM, SIG_IGN);  // one may still be on its way
  }

  // For threads that are not to be interrupted.
  static void block() {
    sigset_t alarm;
    ::sigemptyset(&alarm);
    ::sigaddset(&alarm, SIGALRM);
    ::pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
  }
};

constexpr std::chrono::milliseconds kWhile{20};

TEST_F(FileTest, SignalsDoNotBreakAReadOff) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const std::jthread slow_writer([file = path("pipe")] {
    Interruptions::block();
    std::this_thread::sleep_for(kWhile);
    const UniqueFd pipe(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    for (const char part : {'a', 'b', 'c'}) {
      std::this_thread::sleep_for(kWhile);
      EXPECT_EQ(::write(pipe.get(), &part, 1), 1);
    }
  });

  const Interruptions interruptions;
  EXPECT_EQ(read_file(path("pipe")), "abc");
}

TEST_F(FileTest, SignalsDoNotCutAWriteShort) {
  // More than a pipe holds: the write waits halfway, and a signal makes it return how far it came.
  constexpr std::size_t kSize = 300'000;
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::size_t received = 0;
  {
    const std::jthread slow_reader([&received, file = path("pipe")] {
      Interruptions::block();
      const UniqueFd pipe(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
      std::array<char, 65536> part{};
      ssize_t got = 0;
      do {
        std::this_thread::sleep_for(kWhile);
        got = ::read(pipe.get(), part.data(), part.size());
        received += got > 0 ? static_cast<std::size_t>(got) : 0;
      } while (got > 0);
    });

    const Interruptions interruptions;
    EXPECT_TRUE(write_file(path("pipe"), std::string(kSize, 'x')));
  }
  EXPECT_EQ(received, kSize);
}

}  // namespace
}  // namespace cppland
