// SPDX-License-Identifier: GPL-2.0-only
// confine.h - what a scheduler that is attached may still do: what it needs.
#pragma once

#include "base/result.h"

namespace cppland::cli {

// From here on no thread of this process makes other system calls than those that an attached
// scheduler and its end need (syscall_filter_maker.cc lists them): others fail with EPERM. No
// program that it might start has more privileges than it, and the calling thread gives up its
// capabilities; other threads have done so. Neither can be taken back.
[[nodiscard]] Result<void> confine();

}  // namespace cppland::cli
