// SPDX-License-Identifier: GPL-2.0-only
// capabilities.h - what root may, given up.
#pragma once

#include "base/result.h"

namespace cppland {

// The calling thread gives up all of its capabilities for good; what starts another program later
// gets none either, where that can be forbidden (it needs CAP_SETPCAP). Not to be called by two
// threads at once.
[[nodiscard]] Result<void> drop_capabilities();

}  // namespace cppland
