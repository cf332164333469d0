// SPDX-License-Identifier: GPL-2.0-only
// hogs.cc - see hogs.h.
#include "hogs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <new>
#include <utility>

#include "work.h"

namespace cppland::load {
namespace {

Nanos cpu_time_of(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return static_cast<Nanos>(time.tv_sec) * kSecond + static_cast<Nanos>(time.tv_nsec);
}

}  // namespace

Result<Hogs> Hogs::start(std::span<const int> nices, bool watched) {
  Hogs hogs(watched);
  if (nices.empty()) {
    return hogs;
  }
  hogs.slots_ = CPPLAND_TRY(Mapping::map(-1, nices.size() * sizeof(Slot), PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS));
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) {
    return error(errno, "making a pipe");
  }
  hogs.gate_out_.reset(gate[0]);
  hogs.gate_in_.reset(gate[1]);
  for (const int nice : nices) {
    CPPLAND_TRY(hogs.spawn(nice));
  }
  return hogs;
}

Result<void> Hogs::spawn(int nice) {
  Slot& own = *new (&slot(pids_.size())) Slot;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return error(errno, "starting hog {}", pids_.size() + 1);
  }
  if (pid == 0) {
    run(own, nice, parent);
  }
  pids_.push_back(pid);
  while (own.error == kNotYet) {
    usleep(100);
    if (waitpid(pid, nullptr, WNOHANG) != 0 && own.error == kNotYet) {
      pids_.pop_back();
      return error(ECHILD, "starting hog {}, which was killed", pids_.size() + 1);
    }
  }
  if (own.error != 0) {
    return error(own.error, "giving a hog nice {}", nice);
  }
  return {};
}

void Hogs::run(Slot& own, int nice, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(1);
  }
  prctl(PR_SET_NAME, "hog");
  own.error = setpriority(PRIO_PROCESS, 0, nice) == 0 ? 0 : errno;
  gate_in_.reset();
  // All are woken at once: of those that read(), each is woken by the one before, when that has
  // run.
  pollfd gate{.fd = gate_out_.get(), .events = POLLIN, .revents = 0};
  while (poll(&gate, 1, -1) < 0 && errno == EINTR) {
  }
  Nanos began = watched_ ? monotonic_now() : 0;
  for (;;) {
    own.unit_began.store(began, std::memory_order_relaxed);
    burn(kUnitLoops);
    own.units.store(own.units.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (!watched_) {
      continue;
    }
    const Nanos now = monotonic_now();
    const Nanos took = now - std::exchange(began, now);
    if (took > own.longest_unit.load(std::memory_order_relaxed)) {
      own.longest_unit.store(took, std::memory_order_relaxed);
    }
  }
}

Hogs::~Hogs() {
  for (const pid_t pid : pids_) {
    kill(pid, SIGKILL);
  }
  for (const pid_t pid : pids_) {
    waitpid(pid, nullptr, 0);
  }
}

void Hogs::release() { gate_in_.reset(); }

Hogs::Slot& Hogs::slot(std::size_t hog) const {
  return *reinterpret_cast<Slot*>(slots_.data() + hog * sizeof(Slot));
}

std::vector<HogUsage> Hogs::usage() const {
  std::vector<HogUsage> usage;
  usage.reserve(pids_.size());
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    const Slot& hog = slot(i);
    const Nanos began = hog.unit_began.load(std::memory_order_relaxed);
    // One that does not get to run at all is in the middle of a long unit.
    usage.push_back({cpu_time_of(pids_[i]), hog.units.load(std::memory_order_relaxed),
                     std::max(hog.longest_unit.load(std::memory_order_relaxed),
                              watched_ && began != 0 ? monotonic_now() - began : 0)});
  }
  return usage;
}

void Hogs::forget_longest() {
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    slot(i).longest_unit.store(0, std::memory_order_relaxed);
  }
}

}  // namespace cppland::load
