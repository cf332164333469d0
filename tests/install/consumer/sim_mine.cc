// SPDX-License-Identifier: GPL-2.0-only
// sim_mine.cc - a simulator outside the tree.
#include <cppland/simulate.h>

#include "mine.h"

int main(int argc, char** argv) { return cppland::simulate_main<Mine>("mine", argc, argv, "7"); }
