// SPDX-License-Identifier: GPL-2.0-only
// world.h - carries out the plan of a chaotic run, and watches over the dispatcher's promises.
#pragma once

#include <functional>
#include <string>

#include "sim/chaos/plan.h"

namespace cppland::sim {

// Runs a plan on a machine of its own. What went wrong; empty if nothing did.
//
// After each event of the machine it is held that
//   - no task is lost or runs twice: each is on one CPU, in one queue, or neither if it sleeps
//   - no task runs where it may not
//   - no CPU is idle for long while a task waits that may run there
//   - nobody waits longer than the bounds that the dispatcher is given
//   - no decision is carried out for another wait than that which it was made for
//   - while the agent does its work, nobody has to be rescued, and nothing is gone on without it
//   - the agent is told of all CPU time and of every exit
//   - of all the time no more is without the agent than there is
//   - the kernel does not end the scheduler, unless the agent was killed
//   - where hogs contend and the agent is sound, or has recovered, it is asked and decides
// and at the end that hogs which were left alone have had shares by weight, where somebody promises
// that: the policy, or the dispatcher alone.
// With @tells, what happens is printed to stdout.
[[nodiscard]] std::string run_chaos(const ChaosPlan& plan, bool tells = false);

// Leaves out of a plan whatever is not needed for it to fail. @fails: whether a plan does.
[[nodiscard]] ChaosPlan shrink(ChaosPlan plan, const std::function<bool(const ChaosPlan&)>& fails);

}  // namespace cppland::sim
