// SPDX-License-Identifier: GPL-2.0-only
// memory.h - memory that never has to be waited for.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace cppland {

// Brings everything that this process has mapped, or maps from now on, into memory and keeps it
// there, keeps huge pages from being made of it, and the OOM killer from choosing it. Changes this
// process only: when it ends, however it ends, nothing is left to put back. Fails with a message
// that says what to do when the limit on locked memory forbids it.
[[nodiscard]] Result<void> lock_memory();

// Page faults of this process since it began, those that needed the disk and those that did not.
[[nodiscard]] std::uint64_t page_faults() noexcept;

}  // namespace cppland
