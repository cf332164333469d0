// SPDX-License-Identifier: GPL-2.0-only
// scx_mine.cc - a scheduler outside the tree.
#include <cppland/scheduler.h>

#include "mine.h"

int main(int argc, char** argv) {
  return cppland::scheduler_main<Mine>("scx_mine", argc, argv, "7");
}
