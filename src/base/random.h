// SPDX-License-Identifier: GPL-2.0-only
// random.h - pseudo-random numbers that are the same for one seed everywhere.
#pragma once

#include <cstdint>
#include <random>

namespace cppland {

// The standard's distributions are each library's own; its engines are not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // From 0 to @n - 1, or 0 if @n is 0. The bias is below n / 2^64.
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : engine_() % n; }

  // From @least to @most, both included. REQUIRES: least <= most, and not the whole range.
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }

  [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }

  // Another source, whose numbers do not depend on how many this one is asked for afterwards.
  [[nodiscard]] Random fork() { return Random(engine_()); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace cppland
