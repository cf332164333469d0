// SPDX-License-Identifier: GPL-2.0-only
// table.cc - the policies that come with cppland, the default first.
#include "policies/table.h"

#include <array>

#include "policies/deadline.h"
#include "policies/edf.h"
#include "policies/eevdf.h"
#include "policies/fifo.h"
#include "policies/lottery.h"
#include "policies/mlfq.h"

namespace cppland::policies {

std::span<const PolicyEntry> all() {
  static constexpr std::array kAll{
      policy_entry<Deadline>(
          "deadline",
          "fair by weight, early for whoever sleeps often, at once for whoever is "
          "behind its share"),
      policy_entry<Eevdf>("eevdf",
                          "fair by weight, earliest virtual deadline first among those that are "
                          "behind the average"),
      policy_entry<Edf>("edf",
                        "earliest deadline first for periodic tasks, the rest fair by weight"),
      policy_entry<Mlfq>("mlfq",
                         "feedback queues: who uses much goes down, to fewer and longer turns"),
      policy_entry<Lottery>("lottery", "whoever is drawn; chances are by weight"),
      policy_entry<Fifo>("fifo", "round robin: first come, first served"),
  };
  return kAll;
}

}  // namespace cppland::policies
