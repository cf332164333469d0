// SPDX-License-Identifier: GPL-2.0-only
// cppland.cc - the command-line tool: `cppland sim` tries policies in the simulator.
#include <cppland/simulate.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string_view>

namespace {

constexpr std::string_view kSim = "sim";

// Everything but the subcommands themselves.
int talk(int argc, char** argv) {
  CLI::App app("A laboratory for scheduling policies.", "cppland");
  bool version = false;
  app.add_flag("-V,--version", version, "Print name and version, and exit");
  app.add_subcommand(std::string(kSim), "Run a policy in the simulator, and tell how it did")
      ->prefix_command();
  try {
    app.parse(argc, argv);
    if (!version) throw CLI::RequiredError("a subcommand");
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
  } catch (const CLI::ParseError& wrong) {
    fmt::print(stderr, "cppland: {}\nTry 'cppland --help'.\n", wrong.what());
    return 2;
  }
  if (version) fmt::print("cppland version {}\n", CPPLAND_VERSION);
  if (std::fflush(stdout) == 0) return 0;
  fmt::print(stderr, "cppland: cannot write to stdout\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == kSim)
    return cppland::simulate_main({.name = "cppland sim", .version = CPPLAND_VERSION}, argc - 1,
                                  argv + 1);
  try {
    return talk(argc, argv);
  } catch (const std::exception& wrong) {  // no memory
    std::fprintf(stderr, "cppland: %s\n", wrong.what());
    return 1;
  }
}
