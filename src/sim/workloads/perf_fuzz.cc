// SPDX-License-Identifier: GPL-2.0-only
// perf_fuzz.cc - any bytes as what perf printed: refused, or threads that fit into the recording.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/workloads/perf_trace.h"
#include "tests/support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cppland::testing::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto trace = cppland::sim::perf::parse_trace(text);
  if (!trace) return 0;
  require(!trace->threads.empty());
  for (const auto& some : {trace->bad, trace->losses, trace->switches, trace->gaps, trace->wakeups})
    require(some.count <= trace->lines && (some.first == 0) == (some.count == 0));
  for (const auto& thread : trace->threads) {
    require(thread.tid > 0 && !thread.phases.empty() && thread.start <= trace->length);
    std::uint64_t end = thread.start;
    for (const auto& phase : thread.phases) end += phase.run + phase.sleep;
    require(end <= trace->length);
  }
  return 0;
}
