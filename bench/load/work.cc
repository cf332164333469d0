// SPDX-License-Identifier: GPL-2.0-only
// work.cc - see work.h.
#include "work.h"

#include <algorithm>
#include <ctime>

#include "base/clock.h"

namespace cppland::load {
namespace {

Nanos thread_cpu_time() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<Nanos>(time.tv_sec) * kSecond + static_cast<Nanos>(time.tv_nsec);
}

// Loops per microsecond of this thread's CPU time over at least DURATION.
double rate_over(Nanos duration) {
  constexpr std::uint64_t kBatch = 2000;
  const Nanos begin = thread_cpu_time();
  Nanos used = 0;
  std::uint64_t loops = 0;
  while (used < duration) {
    burn(kBatch);
    loops += kBatch;
    used = thread_cpu_time() - begin;
  }
  return static_cast<double>(loops) * kMicrosecond / static_cast<double>(used);
}

}  // namespace

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
