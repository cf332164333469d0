/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dispatcher_host.h - what the model sets of the dispatcher, and calls; for C and C++.
 */
#ifndef CPPLAND_SIM_DISPATCHER_HOST_H
#define CPPLAND_SIM_DISPATCHER_HOST_H

#include "abi/cppland_abi.h"
#include "bpf/kernel.h"

/* Where they lie; bpf/state.bpf.h says what they mean. */
struct sim_dispatcher {
  struct sched_ext_ops* ops;
  s32 (*succeed)(struct cppland_agents* next);
  struct cppland_shm* shm;
  struct cppland_channel* channels;  // 2 * CPPLAND_MAX_DOMAINS
  u32* nr_cpu_ids;
  u32* nr_cpus;
  u32* nr_domains;
  u32* domain_mask;
  s32* agent_tid;  // CPPLAND_MAX_DOMAINS
  s32* agent_tgid;
  u64* slice_ns;
  u64* sleeper_credit_ns;
  u64* late_ns;
  u64* forget_ns;
  u64* rescue_every_ns;
  u64* starve_ns;
  u64* heartbeat_ns;
  u64* trial_ns;
  u8* ask_always;
  u8* agent_sleeps;
  u8* percpu_local;
  u8* numa_local;
  u8* hybrid;
  u8* cpu_is_big;
  u8* domain_of_cpu;
  u16* cpu_by_domain;
  u16* domain_begin;
  u32* exit_dump_len;
};

#ifdef __cplusplus
extern "C"
#else
extern
#endif
    const struct sim_dispatcher cppland_sim_dispatcher;

#endif /* CPPLAND_SIM_DISPATCHER_HOST_H */
