// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.cc - the dispatcher's memory, as it was when the program began.
#include "kernel/sim/dispatcher.h"

#include <cstddef>
#include <cstring>
#include <vector>

// The linker's names for the section that the platform's SEC() puts everything into.
extern "C" {
extern std::byte __start_cppland_state[];  // NOLINT(*-reserved-identifier,*-naming)
extern std::byte __stop_cppland_state[];   // NOLINT(*-reserved-identifier,*-naming)
}

namespace cppland::sim {

void reset_dispatcher() {
  const auto size = static_cast<std::size_t>(__stop_cppland_state - __start_cppland_state);
  static const std::vector<std::byte> kPristine(__start_cppland_state, __stop_cppland_state);
  std::memcpy(__start_cppland_state, kPristine.data(), size);
}

}  // namespace cppland::sim
