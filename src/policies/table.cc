// SPDX-License-Identifier: GPL-2.0-only
// table.cc - the policies that come with cppland, the default first.
#include "policies/table.h"

#include <array>

#include "policies/deadline.h"
#include "policies/fifo.h"

namespace cppland::policies {

std::span<const PolicyEntry> all() {
  static constexpr std::array kAll{
      policy_entry<Deadline>(
          "deadline",
          "fair by weight, early for whoever sleeps often, at once for whoever is "
          "behind its share"),
      policy_entry<Fifo>("fifo", "round robin: first come, first served"),
  };
  return kAll;
}

}  // namespace cppland::policies
