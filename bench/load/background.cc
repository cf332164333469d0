// SPDX-License-Identifier: GPL-2.0-only
// background.cc - see background.h.
#include "background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <new>

#include "process_tree.h"

namespace cppland::load {

struct Background::Counters {
  std::atomic<std::uint64_t> runs = 0;
  std::atomic<std::uint64_t> failed = 0;
};

namespace {

constexpr timespec kPauseAfterFailure{.tv_sec = 0, .tv_nsec = 100'000'000};
constexpr timespec kPauseBetweenKills{.tv_sec = 0, .tv_nsec = 1'000'000};

sigset_t supervised_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGUSR1}) {
    sigaddset(&set, number);
  }
  return set;
}

// Of a subreaper: as long as there is a descendant, there is a child.
void kill_descendants() {
  for (;;) {
    for (const Process& process : descendants(read_processes(), getpid())) {
      kill(process.pid, SIGKILL);
    }
    pid_t ended = 0;
    do {
      ended = waitpid(-1, nullptr, WNOHANG);
    } while (ended > 0);
    if (ended < 0) {
      return;
    }
    nanosleep(&kPauseBetweenKills, nullptr);
  }
}

[[noreturn]] void become(const std::string& command) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  if (null > STDERR_FILENO) {
    close(null);
  }
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(127);
}

}  // namespace

// The supervisor's own process.
struct Background::Supervisor {
  const std::string& command;
  Counters& counters;
  bool released = false;
  pid_t running = 0;  // the shell; 0 if there is none

  [[noreturn]] void run(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
      _exit(1);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "supervisor");
    const sigset_t signals = supervised_signals();
    const timespec* pause = nullptr;  // set while the command must not be started
    for (;;) {
      switch (pause == nullptr ? sigwaitinfo(&signals, nullptr)
                               : sigtimedwait(&signals, nullptr, pause)) {
        case SIGTERM:
          kill_descendants();
          _exit(0);
        case SIGCHLD:
          pause = reap() ? &kPauseAfterFailure : pause;
          break;
        case SIGUSR1:
          released = true;
          break;
        default:  // the pause is over
          pause = nullptr;
          break;
      }
      if (released && running == 0 && pause == nullptr && !launch()) {
        pause = &kPauseAfterFailure;
      }
    }
  }

  bool launch() {
    const pid_t pid = fork();
    if (pid == 0) {
      become(command);
    }
    running = std::max(pid, 0);
    counters.failed += pid < 0 ? 1U : 0U;
    return pid > 0;
  }

  // True if the command failed.
  bool reap() {
    bool failed = false;
    int status = 0;
    for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == running) {
        failed = status != 0;
        ++(failed ? counters.failed : counters.runs);
        running = 0;
      }
    }
    return failed;
  }
};

Result<Background> Background::start(const std::string& command) {
  Background background;
  if (command.empty()) {
    return background;
  }
  background.counters_ = CPPLAND_TRY(
      Mapping::map(-1, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS));
  new (background.counters_.data()) Counters();
  background.jobs_file_.reset(memfd_create("jobs", MFD_CLOEXEC));
  if (!background.jobs_file_) {
    return error(errno, "making the file that counts jobs");
  }
  const pid_t parent = getpid();
  const std::string jobs = fmt::format("/proc/{}/fd/{}", parent, background.jobs_file_.get());
  sigset_t before;
  const sigset_t signals = supervised_signals();
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const pid_t pid = fork();
  if (pid == 0) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this process has one thread
    setenv("CPPLAND_LOAD_JOBS", jobs.c_str(), 1);
    Supervisor{.command = command, .counters = background.counters()}.run(parent);
  }
  const int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return error(code, "starting the background command");
  }
  background.supervisor_.reset(pid);
  return background;
}

void Background::Ended::close(pid_t pid) noexcept {
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
}

Background::Counters& Background::counters() const {
  return *reinterpret_cast<Counters*>(counters_.data());
}

void Background::release() {
  if (supervisor_) {
    kill(supervisor_.get(), SIGUSR1);
  }
}

BackgroundUsage Background::usage() const {
  if (!supervisor_) {
    return {};
  }
  BackgroundUsage usage{.runs = counters().runs, .failed = counters().failed};
  struct stat jobs{};
  if (fstat(jobs_file_.get(), &jobs) == 0) {
    usage.jobs = static_cast<std::uint64_t>(jobs.st_size);
  }
  const auto processes = read_processes();
  for (const Process& process : descendants(processes, supervisor_.get())) {
    usage.cpu_seconds += process.cpu_seconds;
  }
  for (const Process& process : processes) {
    usage.cpu_seconds += process.pid == supervisor_.get() ? process.cpu_seconds : 0;
  }
  return usage;
}

}  // namespace cppland::load
