// SPDX-License-Identifier: GPL-2.0-only
// options_fuzz.cc - any words as the scheduler's command line: refused with a message and a status,
// or options within their bounds.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/options.h"
#include "policies/fifo.h"
#include "tests/support/fuzz_bytes.h"
#include "tests/support/fuzz_words.h"

namespace {

using cppland::testing::require;

struct OtherFifo : cppland::policies::Fifo {
  using Fifo::Fifo;
};
constexpr std::array kPolicies{
    cppland::policy_entry<cppland::policies::Fifo>("first", "the default one"),
    cppland::policy_entry<OtherFifo>("second", "another one")};
constexpr cppland::SchedulerInfo kInfo{"scx_test", "1.2.3", kPolicies};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cppland::testing::FuzzWords words("scx_test", data, size);
  const auto options = cppland::cli::parse_options(kInfo, words.argc(), words.argv());
  if (!options) {
    const auto& [text, status] = options.error();
    require(!text.empty() && text.ends_with('\n'));
    require(status == 0 || (status == 2 && text.starts_with("scx_test: ")));
    return 0;
  }
  require(options->slice_min_us >= 1 && options->slice_min_us <= options->slice_us);
  require(options->slice_us <= 1'000'000);
  require(options->policy == "first" || options->policy == "second");
  require(options->max_wait_ms >= 10 && options->max_wait_ms <= options->timeout_ms / 2);
  require(options->exit_dump_len <= 16U << 20U);
  require(options->upgrade || !options->force);
  return 0;
}
