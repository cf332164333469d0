// SPDX-License-Identifier: GPL-2.0-only
// work.h - CPU work counted in loop iterations.
#pragma once

#include <cstdint>

namespace cppland::load {

// Executes the same instructions for the same LOOPS, whatever interrupts it: a preempted task has
// as much left to do as before.
void burn(std::uint64_t loops) noexcept;

// How many loops one microsecond of undisturbed CPU time is worth here; takes about 0.1 s.
double calibrate_loops_per_us();

}  // namespace cppland::load
