// SPDX-License-Identifier: GPL-2.0-only
// exit_status.h - how the programs exit.
#pragma once

namespace cppland::cli {

inline constexpr int kFailure = 1;
inline constexpr int kNonsense = 2;     // the command line
inline constexpr int kSignalled = 128;  // and the signal's number on top, as shells have it

}  // namespace cppland::cli
