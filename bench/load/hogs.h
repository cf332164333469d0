// SPDX-License-Identifier: GPL-2.0-only
// hogs.h - processes that compute without ever sleeping, and what they got done.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/mapping.h"
#include "base/result.h"
#include "base/unique_handle.h"

namespace cppland::load {

// What one hog had used and done at some moment.
struct HogUsage {
  Nanos cpu = 0;
  std::uint64_t units = 0;
  Nanos longest_unit = 0;  // by the clock, since `forget_longest`; 0 if it is not watched
};

// One process per hog. They die with this object, and with the thread that started them.
class Hogs {
 public:
  // A unit of work, in loops: the same on every machine and in every run.
  static constexpr std::uint64_t kUnitLoops = 10'000;

  // Creates one process for each of NICES, which then wait for `release`. With WATCHED they look at
  // the clock after each unit, which costs them a little.
  // REQUIRES: the calling process has no other threads yet.
  static Result<Hogs> start(std::span<const int> nices, bool watched);
  Hogs(const Hogs&) = delete;
  Hogs(Hogs&& other) = default;
  Hogs& operator=(const Hogs&) = delete;
  Hogs& operator=(Hogs&& other) = delete;
  ~Hogs();

  void release();
  // One entry per hog, in the order of NICES.
  [[nodiscard]] std::vector<HogUsage> usage() const;
  void forget_longest();

 private:
  static constexpr int kNotYet = -1;

  struct alignas(64) Slot {  // written by one hog, read by us
    std::atomic<std::uint64_t> units = 0;
    std::atomic<Nanos> longest_unit = 0;  // also set to 0 by us
    std::atomic<Nanos> unit_began = 0;
    std::atomic<int> error = kNotYet;  // why it could not start; 0: it has
  };

  explicit Hogs(bool watched) : watched_(watched) {}
  Result<void> spawn(int nice);
  [[noreturn]] void run(Slot& own, int nice, pid_t parent);
  [[nodiscard]] Slot& slot(std::size_t hog) const;

  bool watched_;
  Mapping slots_;
  UniqueFd gate_in_;  // the hogs read from the one end until we close the other
  UniqueFd gate_out_;
  std::vector<pid_t> pids_;
};

}  // namespace cppland::load
