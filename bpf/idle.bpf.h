/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * idle.bpf.h - which CPU: an idle one if there is one, else the one to preempt.
 */
#ifndef CPPLAND_BPF_IDLE_H
#define CPPLAND_BPF_IDLE_H

#include "state.bpf.h"

/* The big CPUs of a hybrid machine, or NULL. Made in init, read by select_cpu. */
private(CPPLAND) struct bpf_cpumask __kptr *big_cpus;

/* Any idle CPU that @p may use, claimed; or a negative number. */
static s32 pick_idle_any(struct task_struct *p)
{
	if (numa_local)
		return scx_bpf_pick_idle_cpu_node(p->cpus_ptr,
						  scx_bpf_cpu_node(scx_bpf_task_cpu(p)), 0);
	return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
}

/*
 * An idle CPU for a task that wakes up, claimed; or a negative number. The kernel's own search
 * looks at the previous CPU, SMT siblings, the LLC and the node, in that order of preference; on a
 * hybrid machine it looks among the big CPUs first, with -n in the task's preferred node first.
 */
static s32 pick_idle_for_wakeup(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
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

/* Whether the task that @cpu was seen to run is still the one there, and in our class. */
static bool still_runs(s32 cpu, s32 tid)
{
	struct task_struct *curr;
	bool same = false;

	if (bpf_ksym_exists(scx_bpf_cpu_curr)) {
		bpf_rcu_read_lock();
		curr = scx_bpf_cpu_curr(cpu);
		same = curr && curr->pid == tid &&
		       curr->scx.flags & CORE_ENUM(scx_ent_flags, SCX_TASK_QUEUED);
		bpf_rcu_read_unlock();
	} else if (bpf_ksym_exists(scx_bpf_cpu_rq)) {
		struct rq *rq = scx_bpf_cpu_rq(cpu);

		same = rq && BPF_CORE_READ(rq, curr, pid) == tid &&
		       BPF_CORE_READ(rq, curr, scx.flags) &
			       CORE_ENUM(scx_ent_flags, SCX_TASK_QUEUED);
	}
	return same;
}

/*
 * A timer for each CPU, which preempts what runs there if by then somebody still waits who may.
 * Producer and consumer: the dispatcher alone.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPPLAND_MAX_CPUS);
	__type(key, u32);
	__type(value, struct nudge);
} nudges SEC(".maps");

static int nudge_now(void *map, u32 *cpu, struct nudge *nudge)
{
	nudge->armed = 0;
	if (scx_bpf_dsq_nr_queued(DSQ_URGENT))
		scx_bpf_kick_cpu(*cpu, CORE_ENUM(scx_kick_flags, SCX_KICK_PREEMPT));
	return 0;
}

static void nudge_later(u32 cpu, u64 in_ns)
{
	struct nudge *nudge = bpf_map_lookup_elem(&nudges, &cpu);

	if (nudge && !nudge->armed && !bpf_timer_start(&nudge->timer, in_ns, 0))
		nudge->armed = 1;
}

int init_nudges(void)
{
	u32 cpu;

	bpf_for (cpu, 0, nr_cpu_ids) {
		u32 key = cpu;
		struct nudge *nudge = bpf_map_lookup_elem(&nudges, &key);
		s32 err;

		if (!nudge)
			return -ESRCH;
		err = bpf_timer_init(&nudge->timer, &nudges, CLOCK_MONOTONIC);
		if (!err)
			err = bpf_timer_set_callback(&nudge->timer, nudge_now);
		if (err)
			return err;
	}
	return 0;
}

static bool is_rich(struct task_struct *p, const struct task_ctx *tctx)
{
	return before(p->se.sum_exec_runtime + rich_ns, tctx->credit_until);
}

/*
 * Whether @p, which wakes up with credit but could preempt nobody, is served before what is
 * decided. That is for the frame or the sound between which there is a pause, and for whoever uses
 * so little that its credit does not get less. Were it for everybody with credit, tasks that send
 * each other messages would run once for every message, instead of once for many.
 */
static bool is_urgent(struct task_struct *p, const struct task_ctx *tctx)
{
	return tctx->flags & TASK_RARE || is_rich(p, tctx);
}

/*
 * The CPU whose task @p, which wakes up, may preempt: of those that it may use the one that runs
 * the latest key. With @by_vtime (the agent is late) the dispatcher's own vtime stands for the key,
 * and a small lead is not enough. -1 if nobody runs later than @p would.
 *
 * Whoever is latency-critical itself is left alone at first: tasks that wake each other all the
 * time would do little else than preempt each other. When that time is over the CPU is nudged, if
 * @p is urgent. A frame or a sound with credit to spare does not wait for that of others.
 */
static s32 pick_victim(struct task_struct *p, struct task_ctx *tctx, bool by_vtime)
{
	u64 latest = by_vtime ? tctx->vtime + slice_ns : tctx->key;
	bool spare = by_vtime ? before(tctx->vtime + rich_ns, vtime_now) : is_rich(p, tctx);
	struct cpu_state *state;
	s32 victim = -1;
	u64 ran = 0;
	u32 cpu;

	spare = spare && tctx->flags & TASK_RARE;
	if (by_vtime && spare)
		latest -= sleeper_credit_ns; /* behind everybody */

	bpf_for (cpu, 0, nr_cpu_ids) {
		bool without_key;
		u64 key;

		state = cpu_state_of(cpu);
		if (!state)
			break;
		if (state->runs != RUNS_TASK || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		without_key = !by_vtime && !state->has_key;
		key = by_vtime ? state->vtime : state->key;
		if (!without_key && !before(latest, key))
			continue;
		if (!still_runs(cpu, state->tid))
			continue;
		victim = cpu;
		if (without_key)
			break;
		latest = key;
	}
	state = cpu_state_of(victim);
	if (victim < 0 || !state)
		return -1;
	if (spare && !state->is_rare)
		return victim;
	/* Unless somebody else is about to preempt it. */
	if (!scx_bpf_dsq_nr_queued(local_on(victim))) {
		u64 now = bpf_ktime_get_ns();

		ran = before(state->began_at, now) ? now - state->began_at : 0;
		if (!state->has_credit || ran >= protect_ns)
			return victim;
	}
	if (!by_vtime && is_urgent(p, tctx))
		nudge_later(victim, protect_ns - ran);
	return -1;
}

#endif /* CPPLAND_BPF_IDLE_H */
