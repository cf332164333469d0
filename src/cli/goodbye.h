// SPDX-License-Identifier: GPL-2.0-only
// goodbye.h - what is left to do when a command line asks for nothing that could be run.
#pragma once

#include <string>

namespace cppland::cli {

// Print this, and exit so: on stdout with status 0, on stderr with any other.
struct Goodbye {
  std::string text;
  int status = 0;
};

}  // namespace cppland::cli
