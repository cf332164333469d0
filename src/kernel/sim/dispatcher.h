// SPDX-License-Identifier: GPL-2.0-only
// dispatcher.h - the dispatcher of bpf/, compiled for the host.
#pragma once

#include "kernel/sim/kernel_types.h"

extern "C" {
#include "kernel/sim/dispatcher_host.h"
}

namespace cppland::sim {

// The dispatcher of this process: there is one, since its memory is global, as it is in BPF.
inline const sim_dispatcher& dispatcher() { return cppland_sim_dispatcher; }

// Makes its memory what it is in its source.
void reset_dispatcher();

}  // namespace cppland::sim
