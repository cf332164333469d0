// SPDX-License-Identifier: GPL-2.0-only
// sim_options_fuzz.cc - any words as the simulator's command line: refused with a message and a
// status, or options within their bounds.
#include <cstddef>
#include <cstdint>

#include "cli/sim_options.h"
#include "policies/table.h"
#include "tests/support/fuzz_bytes.h"
#include "tests/support/fuzz_words.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cppland::testing::require;
  const cppland::testing::FuzzWords words("cppland", data, size);
  const auto options = cppland::cli::parse_sim_options(
      {"cppland", "1.2.3", cppland::policies::all()}, words.argc(), words.argv());
  if (!options) {
    const auto& [text, status] = options.error();
    require(!text.empty() && text.ends_with('\n'));
    require(status == 0 || (status == 2 && text.starts_with("cppland: ")));
    return 0;
  }
  require(!options->policies.empty() && !options->workload.empty());
  require(options->topology.nr_online() >= 1);
  require(options->seeds >= 1);
  require(options->duration_ns.value_or(1) > 0);
  return 0;
}
