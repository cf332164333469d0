// SPDX-License-Identifier: GPL-2.0-only
// table.h - the policies that come with cppland, the default first.
#pragma once

#include <cppland/scheduler.h>

#include <span>

namespace cppland::policies {

[[nodiscard]] std::span<const PolicyEntry> all();

}  // namespace cppland::policies
