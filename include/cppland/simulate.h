// SPDX-License-Identifier: GPL-2.0-only
// simulate.h - from a policy to a simulator: the main() of a program that tries a policy on a model
// of a machine, without a special kernel and without root.
#pragma once

#include <cppland/scheduler.h>

#include <string_view>

namespace cppland {

// Reads the command line (see --help), runs @info's policies (the default first; those that come
// with cppland can be chosen as well) in the simulator, prints figures, and returns the process's
// exit status: 0, 1 if something failed or the modelled kernel ended the scheduler, 2 for a bad
// command line. To be called once, from main(), before any thread is started.
int simulate_main(const SchedulerInfo& info, int argc, char** argv);

// The same for one policy: the whole program that simulates an out-of-tree policy is
//
//   int main(int argc, char** argv) { return cppland::simulate_main<Mine>("mine", argc, argv); }
//
// where "mine" is what the policy is called beside the others, as in --compare deadline. Link it to
// cppland::simulator.
template <Policy P>
int simulate_main(std::string_view name, int argc, char** argv, std::string_view version = "0") {
  const PolicyEntry entry = policy_entry<P>(name, "the policy of this program");
  std::string_view program = argc > 0 ? argv[0] : name;
  program.remove_prefix(program.rfind('/') + 1);
  return simulate_main({program, version, {&entry, 1}}, argc, argv);
}

}  // namespace cppland
