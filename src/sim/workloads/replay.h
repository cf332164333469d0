// SPDX-License-Identifier: GPL-2.0-only
// replay.h - a workload that does what the threads of a recording did.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "sim/workload.h"

namespace cppland::sim::perf {

// @text: what perf has printed of the recording. Each thread needs the CPU for as long as it had
// it, and then sleeps for as long as it did until it was woken, so that what it waits for a CPU
// moves all that follows.
[[nodiscard]] Result<std::unique_ptr<Workload>> load(std::string_view text);

// "worker" for "worker-12", "kworker" for "kworker/0:1": threads of one kind.
[[nodiscard]] std::string_view group_of(std::string_view comm);

}  // namespace cppland::sim::perf
