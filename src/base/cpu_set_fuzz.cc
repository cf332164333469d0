// SPDX-License-Identifier: GPL-2.0-only
// cpu_set_fuzz.cc - any bytes as a CPU list: refused, or read into a set that survives a round
// trip.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/cpu_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const cppland::Result<cppland::CpuSet> set = cppland::CpuSet::parse(text);
  if (!set) {
    return 0;
  }
  const std::string written = set->to_string();
  if (cppland::CpuSet::parse(written) != *set) {
    std::abort();
  }
  unsigned count = 0;
  for (const unsigned cpu : *set) {
    count += set->test(cpu) ? 1U : 0U;
  }
  if (count != set->count()) {
    std::abort();
  }
  return 0;
}
