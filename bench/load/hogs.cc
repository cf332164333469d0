// SPDX-License-Identifier: GPL-2.0-only
// hogs.cc - see hogs.h.
#include "hogs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

namespace cppland::load {
namespace {

constexpr int kNotYet = -1;

Nanoseconds cpu_time_of(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace

std::expected<Hogs, std::string> Hogs::start(std::span<const int> nices) {
  Hogs hogs;
  if (nices.empty()) {
    return hogs;
  }
  void* memory = mmap(nullptr, nices.size() * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return std::unexpected(
        fmt::format("cannot map memory for {} hogs: {}", nices.size(), std::strerror(errno)));
  }
  hogs.slots_ = static_cast<Slot*>(memory);
  hogs.capacity_ = nices.size();
  if (pipe2(hogs.gate_, O_CLOEXEC) != 0) {
    return std::unexpected(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  for (const int nice : nices) {
    if (auto spawned = hogs.spawn(nice); !spawned) {
      return std::unexpected(spawned.error());
    }
  }
  return hogs;
}

std::expected<void, std::string> Hogs::spawn(int nice) {
  Slot& slot = slots_[pids_.size()];
  slot.error = kNotYet;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return std::unexpected(
        fmt::format("cannot start hog {}: {}", pids_.size() + 1, std::strerror(errno)));
  }
  if (pid == 0) {
    close(gate_[1]);
    run(slot, nice, gate_[0], parent);
  }
  pids_.push_back(pid);
  while (slot.error == kNotYet) {
    usleep(100);
    if (waitpid(pid, nullptr, WNOHANG) != 0 && slot.error == kNotYet) {
      pids_.pop_back();
      return std::unexpected(std::string("a hog was killed before it could start"));
    }
  }
  if (slot.error != 0) {
    return std::unexpected(
        fmt::format("cannot give a hog nice {}: {}", nice, std::strerror(slot.error)));
  }
  return {};
}

void Hogs::run(Slot& slot, int nice, int gate, pid_t parent) {
  // What the parent has to say at its end is its own business: it kills us with SIGKILL.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    _exit(1);
  }
  prctl(PR_SET_NAME, "hog");
  slot.error = setpriority(PRIO_PROCESS, 0, nice) == 0 ? 0 : errno;
  char nothing = 0;
  while (read(gate, &nothing, 1) < 0 && errno == EINTR) {
  }
  for (;;) {
    burn(kUnitLoops);
    slot.units.store(slot.units.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

Hogs::Hogs(Hogs&& other) noexcept
    : slots_(std::exchange(other.slots_, nullptr)),
      capacity_(other.capacity_),
      gate_{std::exchange(other.gate_[0], -1), std::exchange(other.gate_[1], -1)},
      pids_(std::exchange(other.pids_, {})) {}

Hogs::~Hogs() {
  for (const pid_t pid : pids_) {
    kill(pid, SIGKILL);
  }
  for (const pid_t pid : pids_) {
    waitpid(pid, nullptr, 0);
  }
  for (const int end : gate_) {
    if (end >= 0) {
      close(end);
    }
  }
  if (slots_ != nullptr) {
    munmap(slots_, capacity_ * sizeof(Slot));
  }
}

void Hogs::release() {
  if (gate_[1] >= 0) {
    close(std::exchange(gate_[1], -1));
  }
}

std::vector<HogUsage> Hogs::usage() const {
  std::vector<HogUsage> usage;
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    usage.push_back({cpu_time_of(pids_[i]), slots_[i].units.load(std::memory_order_relaxed)});
  }
  return usage;
}

}  // namespace cppland::load
