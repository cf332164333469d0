// SPDX-License-Identifier: GPL-2.0-only
// dispatcher_host.c - the dispatcher of bpf/, compiled for the host.
#include "dispatcher_host.h"
#include "bpf/dispatcher.bpf.c"

const struct sim_dispatcher cppland_sim_dispatcher = {
    .ops = &cppland_ops,
    .succeed = cppland_succeed,
    .shm = &shm,
    .channels = channels,
    .nr_cpu_ids = &nr_cpu_ids,
    .nr_cpus = &nr_cpus,
    .nr_domains = &nr_domains,
    .domain_mask = &domain_mask,
    .agent_tid = agent_tid,
    .agent_tgid = &agent_tgid,
    .slice_ns = &slice_ns,
    .sleeper_credit_ns = &sleeper_credit_ns,
    .late_ns = &late_ns,
    .forget_ns = &forget_ns,
    .rescue_every_ns = &rescue_every_ns,
    .starve_ns = &starve_ns,
    .heartbeat_ns = &heartbeat_ns,
    .trial_ns = &trial_ns,
    .ask_always = &ask_always,
    .agent_sleeps = &agent_sleeps,
    .percpu_local = &percpu_local,
    .numa_local = &numa_local,
    .hybrid = &hybrid,
    .cpu_is_big = cpu_is_big,
    .domain_of_cpu = domain_of_cpu,
    .cpu_by_domain = cpu_by_domain,
    .domain_begin = domain_begin,
    .exit_dump_len = &exit_dump_len,
};
