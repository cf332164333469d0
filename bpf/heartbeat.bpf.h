/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heartbeat.bpf.h - what is done every now and then, though nothing happens.
 */
#ifndef CPPLAND_BPF_HEARTBEAT_H
#define CPPLAND_BPF_HEARTBEAT_H

#include "agent.bpf.h"
#include "succession.bpf.h"

struct heartbeat {
	struct bpf_timer timer;
};

/* The heartbeat's timer. Producer and consumer: the dispatcher alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct heartbeat);
} heartbeats SEC(".maps");

static s32 start_heartbeat(u64 in_ns)
{
	u32 zero = 0;
	struct heartbeat *heartbeat = bpf_map_lookup_elem(&heartbeats, &zero);

	return heartbeat ? bpf_timer_start(&heartbeat->timer, in_ns, 0) : -ESRCH;
}

/* The CPU that shall run the agent of domain @d, be it idle. */
static s32 cpu_for_agent(u32 d)
{
	s32 last = domain_at(d)->agent.cpu;
	u32 i;

	if (domain_of(last) == d && !is_going(last))
		return last;
	d &= CPPLAND_MAX_DOMAINS - 1;
	bpf_for (i, domain_begin[d], domain_begin[d + 1]) {
		s32 cpu = i < CPPLAND_MAX_CPUS ? cpu_by_domain[i] : -1;

		if (cpu >= 0 && !is_going(cpu))
			return cpu;
	}
	return last;
}

/* Keeps the kernel's watchdog content on an idle machine, where nobody calls the agents, and CPUs
 * that go moving. */
static int beat(void *map, u32 *key, struct heartbeat *heartbeat)
{
	bool leaving = tend_leaving_cpus();
	u32 d;

	look_after_trial(bpf_ktime_get_ns());
	bpf_for (d, 0, nr_domains) {
		struct agent_state *agent = &domain_at(d)->agent;

		if (leaving)
			wake_for_all(d);
		if (agent_sleeps || bpf_ktime_get_ns() - agent->ran_at < heartbeat_ns / 2)
			continue;
		agent->overdue = 1;
		scx_bpf_kick_cpu(cpu_for_agent(d), CORE_ENUM(scx_kick_flags, SCX_KICK_IDLE));
	}
	bpf_timer_start(&heartbeat->timer, leaving ? LEAVING_EVERY : heartbeat_ns, 0);
	return 0;
}

static s32 init_heartbeat(void)
{
	u32 zero = 0;
	struct heartbeat *heartbeat = bpf_map_lookup_elem(&heartbeats, &zero);
	s32 err;

	if (!heartbeat)
		return -ESRCH;
	err = bpf_timer_init(&heartbeat->timer, &heartbeats, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&heartbeat->timer, beat);
	return err ?: start_heartbeat(heartbeat_ns);
}

#endif /* CPPLAND_BPF_HEARTBEAT_H */
