// SPDX-License-Identifier: GPL-2.0-only
// work.cc - see work.h.
#include "work.h"

#include <time.h>

#include <algorithm>

namespace cppland::load {
namespace {

Nanoseconds read_clock(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

// Loops per microsecond of this thread's CPU time over at least DURATION.
double rate_over(Nanoseconds duration) {
  constexpr std::uint64_t kBatch = 2000;
  const Nanoseconds begin = read_clock(CLOCK_THREAD_CPUTIME_ID);
  Nanoseconds used = 0;
  std::uint64_t loops = 0;
  while (used < duration) {
    burn(kBatch);
    loops += kBatch;
    used = read_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
  }
  return static_cast<double>(loops) * kMicrosecond / static_cast<double>(used);
}

}  // namespace

Nanoseconds now() noexcept { return read_clock(CLOCK_MONOTONIC); }

[[gnu::noinline]] void burn(std::uint64_t loops) noexcept {
  std::uint64_t state = loops;
  for (; loops > 0; --loops) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    asm volatile("" : "+r"(state));  // the compiler must not know that nobody reads it
  }
}

double calibrate_loops_per_us() {
  // Interrupts and a cold start only ever make a stretch slower: the fastest is the undisturbed
  // one.
  constexpr int kStretches = 20;
  double best = 0;
  for (int i = 0; i < kStretches; ++i) {
    best = std::max(best, rate_over(5 * kMillisecond));
  }
  return best;
}

}  // namespace cppland::load
