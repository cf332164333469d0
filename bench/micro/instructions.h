// SPDX-License-Identifier: GPL-2.0-only
// instructions.h - how many instructions this thread has executed, where the machine counts them.
#pragma once

#include <cstdint>
#include <optional>

#include "base/unique_handle.h"

namespace cppland::bench {

// Counts what the thread that made it executes in user mode.
class Instructions {
 public:
  Instructions() noexcept;

  // So far; nothing where there is no such counter, or it may not be used.
  [[nodiscard]] std::optional<std::uint64_t> count() const noexcept;

 private:
  UniqueFd fd_;
};

}  // namespace cppland::bench
