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
  require(!trace->threads.empty() && trace->bad_lines <= trace->lines);
  require((trace->first_bad == 0) == (trace->bad_lines == 0));
  for (const auto& thread : trace->threads) {
    require(thread.tid > 0 && !thread.phases.empty() && thread.start <= trace->length);
    for (const auto& phase : thread.phases) {
      require(phase.run <= trace->length * 2 && phase.sleep <= trace->length);
    }
  }
  return 0;
}
