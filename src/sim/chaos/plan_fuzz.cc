// SPDX-License-Identifier: GPL-2.0-only
// plan_fuzz.cc - any bytes as the plan of a chaotic run: refused, or a plan that is written as it
// is read.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/cpu_set.h"
#include "sim/chaos/plan.h"
#include "tests/support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cppland::testing::require;
  const auto plan = cppland::sim::plan_from_json(std::string(data, data + size));
  if (!plan) return 0;
  require(plan->nr_cpus >= 1 && plan->nr_cpus <= cppland::CpuSet::kCapacity);
  const std::string text = to_json(*plan);
  const auto again = cppland::sim::plan_from_json(text);
  require(again && to_json(*again) == text);
  return 0;
}
