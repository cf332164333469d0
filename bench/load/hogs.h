// SPDX-License-Identifier: GPL-2.0-only
// hogs.h - processes that compute without ever sleeping, and what they got done.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "work.h"

namespace cppland::load {

// What one hog had used and done at some moment.
struct HogUsage {
  Nanoseconds cpu = 0;
  std::uint64_t units = 0;
};

// One process per hog. They die with this object, and with the thread that started them.
class Hogs {
 public:
  // A unit of work, in loops: the same on every machine and in every run.
  static constexpr std::uint64_t kUnitLoops = 10'000;

  // Creates one process for each of NICES, which then wait for `release`.
  // REQUIRES: the calling process has no other threads yet.
  static std::expected<Hogs, std::string> start(std::span<const int> nices);
  Hogs(Hogs&& other) noexcept;
  Hogs& operator=(Hogs&& other) = delete;
  ~Hogs();

  void release();
  // One entry per hog, in the order of NICES.
  std::vector<HogUsage> usage() const;

 private:
  struct alignas(64) Slot {  // written by one hog, read by us
    std::atomic<std::uint64_t> units;
    std::atomic<int> error;  // why it could not start; 0: it has, -1: it has not said yet
  };

  Hogs() = default;
  std::expected<void, std::string> spawn(int nice);
  [[noreturn]] static void run(Slot& slot, int nice, int gate, pid_t parent);

  Slot* slots_ = nullptr;
  std::size_t capacity_ = 0;
  int gate_[2] = {-1, -1};  // the hogs read from the first end until we close the second
  std::vector<pid_t> pids_;
};

}  // namespace cppland::load
