// SPDX-License-Identifier: GPL-2.0-only
// scx_cppland.cc - the scheduler: every policy that comes with cppland.
#include <cppland/scheduler.h>

#include "policies/table.h"

int main(int argc, char** argv) {
  return cppland::scheduler_main(
      {.name = "scx_cppland", .version = CPPLAND_VERSION, .policies = cppland::policies::all()},
      argc, argv);
}
