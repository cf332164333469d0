// SPDX-License-Identifier: GPL-2.0-only
// timeline.cc - see timeline.h.
#include "timeline.h"

#include <cerrno>
#include <ctime>

namespace cppland::load {

bool Timeline::sleep_until(Nanos time) const {
  const timespec wanted{.tv_sec = static_cast<time_t>(time / kSecond),
                        .tv_nsec = static_cast<long>(time % kSecond)};
  while (time < until()) {
    // A signal interrupts the sleep when the run ends early.
    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wanted, nullptr) != EINTR) {
      return true;
    }
  }
  return false;
}

}  // namespace cppland::load
