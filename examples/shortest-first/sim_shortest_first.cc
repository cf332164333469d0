// SPDX-License-Identifier: GPL-2.0-only
// sim_shortest_first.cc - tries it in the simulator.
#include <cppland/simulate.h>

#include "shortest_first.h"

int main(int argc, char** argv) {
  return cppland::simulate_main<ShortestFirst>("shortest-first", argc, argv, "1.0");
}
