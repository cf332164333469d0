// SPDX-License-Identifier: GPL-2.0-only
// scx_shortest_first.cc - schedules this machine, shortest first.
#include <cppland/scheduler.h>

#include "shortest_first.h"

int main(int argc, char** argv) {
  return cppland::scheduler_main<ShortestFirst>("scx_shortest_first", argc, argv, "1.0");
}
