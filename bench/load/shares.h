// SPDX-License-Identifier: GPL-2.0-only
// shares.h - how much CPU time the kernel owes to tasks of different nice values.
#pragma once

#include <span>
#include <vector>

namespace cppland::load {

inline constexpr int kLowestNice = -20;
inline constexpr int kHighestNice = 19;

// The kernel's weight (1024 at nice 0; a step is about 25 %). REQUIRES: kLowestNice <= nice <=
// kHighestNice.
int weight_of_nice(int nice);

// The fraction of all the CPU time used that each of always-runnable tasks should get on CPUS
// processors, where none can use more than one of them. Sums to 1 (empty if there are no tasks).
// REQUIRES: cpus > 0.
std::vector<double> expected_shares(std::span<const int> nices, unsigned cpus);

}  // namespace cppland::load
