// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_host.c - the dispatcher of bpf/, compiled for the host.
#include "dispatcher_host.h"
#include "bpf/dispatcher.bpf.c"

const struct sim_dispatcher cppland_sim_dispatcher = {
    .ops = &cppland_ops,
    .shm = &shm,
    .nr_cpu_ids = &nr_cpu_ids,
    .agent_tid = &agent_tid,
    .agent_tgid = &agent_tgid,
    .slice_ns = &slice_ns,
    .sleeper_credit_ns = &sleeper_credit_ns,
    .late_ns = &late_ns,
    .forget_ns = &forget_ns,
    .starve_ns = &starve_ns,
    .heartbeat_ns = &heartbeat_ns,
    .agent_rest = &agent_rest,
    .agent_sleeps = &agent_sleeps,
    .percpu_local = &percpu_local,
    .numa_local = &numa_local,
    .hybrid = &hybrid,
    .cpu_is_big = cpu_is_big,
    .exit_dump_len = &exit_dump_len,
};
