// SPDX-License-Identifier: GPL-2.0-only
// allocations.h - counts what a thread takes from the heap, and the mutexes that it locks.
//
// Add allocations.cc to the sources of the program that wants to know.
#pragma once

#include <cstdint>

namespace cppland::testing {

// Allocations of the calling thread so far, by whatever function.
[[nodiscard]] std::uint64_t allocations() noexcept;

// Mutexes and read-write locks that the calling thread has locked so far. Not counted with
// sanitizers, which have these functions to themselves.
[[nodiscard]] std::uint64_t locks() noexcept;

}  // namespace cppland::testing
