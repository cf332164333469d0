/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * idle.bpf.h - which idle CPU, if there is one.
 */
#ifndef CPPLAND_BPF_IDLE_H
#define CPPLAND_BPF_IDLE_H

#include "state.bpf.h"

#define PICK_MAX 4

/* The big CPUs of a hybrid machine, or NULL. Made in init, read by select_cpu. */
KERNEL_OBJECTS struct bpf_cpumask __kptr *big_cpus;

/* Whether @cpu can be found: it is idle, and has not been claimed. */
static bool is_marked_idle(s32 cpu)
{
	const struct cpumask *idle;
	bool yes;

	if (numa_local)
		idle = scx_bpf_get_idle_cpumask_node(scx_bpf_cpu_node(cpu));
	else
		idle = scx_bpf_get_idle_cpumask();
	yes = bpf_cpumask_test_cpu(cpu, idle);
	scx_bpf_put_idle_cpumask(idle);
	return yes;
}

static s32 pick_idle_once(struct task_struct *p)
{
	if (numa_local)
		return scx_bpf_pick_idle_cpu_node(p->cpus_ptr,
						  scx_bpf_cpu_node(scx_bpf_task_cpu(p)), 0);
	return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
}

/* Any idle CPU that @p may use, claimed; or a negative number. */
static s32 pick_idle_any(struct task_struct *p)
{
	s32 cpu = -1;
	u32 n;

	bpf_for (n, 0, PICK_MAX) {
		s32 next = pick_idle_once(p);

		if (next < 0)
			break;
		/* To claim one that goes is to see the last of it. */
		cpu = next;
		if (!is_going(cpu))
			break;
	}
	return cpu >= 0 && is_going(cpu) ? -1 : cpu;
}

/* Whether nobody who may go first on @cpu waits. */
static bool nothing_waits_for(s32 cpu)
{
	u32 d = domain_of(cpu);

	return !nr_own(cpu) && !scx_bpf_dsq_nr_queued(dsq_of(d, SHARED)) &&
	       !scx_bpf_dsq_nr_queued(dsq_of(d, URGENT));
}

/* Wakes @cpu, if it is one, and idle, for somebody who waits in domain @d. */
static void wake_idle(s32 cpu, u32 d)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (state && d != domain_of(cpu))
		state->woken_for = d + 1;
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, CORE_ENUM(scx_kick_flags, SCX_KICK_IDLE));
}

/* Wakes an idle CPU, if there is one, for @p, which waits. */
static void wake_idle_for(struct task_struct *p)
{
	u32 d = domain_of_task(p);

	if (!is_deaf()) /* else the heartbeat does it */
		wake_idle(pick_idle_any(p), d);
}

/*
 * The kernel's own search looks at the previous CPU, SMT siblings, the LLC and the node, in that
 * order of preference; on a hybrid machine it looks among the big CPUs first, with -n in the task's
 * preferred node first.
 */
static s32 search_idle(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = -1;

	if (numa_local && bpf_core_field_exists(p->numa_preferred_nid) &&
	    p->numa_preferred_nid >= 0) {
		cpu = scx_bpf_pick_idle_cpu_node(
			p->cpus_ptr, p->numa_preferred_nid,
			CORE_ENUM(scx_pick_idle_cpu_flags, SCX_PICK_IDLE_IN_NODE));
		if (cpu >= 0)
			return cpu;
	}
	if (hybrid) {
		struct bpf_cpumask *big;

		bpf_rcu_read_lock();
		big = big_cpus;
		if (big)
			cpu = scx_bpf_select_cpu_and(p, prev_cpu, wake_flags,
						     (const struct cpumask *)big, 0);
		bpf_rcu_read_unlock();
		if (cpu >= 0)
			return cpu;
	}
	return scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
}

/* An idle CPU for a task that wakes up, claimed; or a negative number. */
static s32 pick_idle_for_wakeup(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = search_idle(p, prev_cpu, wake_flags);

	return cpu >= 0 && is_going(cpu) ? pick_idle_any(p) : cpu;
}

#endif /* CPPLAND_BPF_IDLE_H */
