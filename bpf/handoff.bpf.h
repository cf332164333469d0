/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handoff.bpf.h - who wakes another up and sleeps hands its CPU over: no other CPU is woken, and
 * nobody has to choose.
 *
 * The kernel marks a wake-up as synchronous if the waker says that it is about to sleep. Some of
 * them go on for long. So each task learns how soon it gets the CPU that it was left: if that took
 * longer than to wake another one, it is not left one for some time. And a timer takes the CPU from
 * a waker that does not sleep; the waker then goes to an idle CPU. One that may use only one CPU
 * comes right after who runs there, and learns likewise.
 */
#ifndef CPPLAND_BPF_HANDOFF_H
#define CPPLAND_BPF_HANDOFF_H

#include "preempt.bpf.h"

#define HANDOFF_GOOD (20 * NSEC_PER_USEC) /* about what an idle CPU takes to wake up */
#define HANDOFF_MAX  (100 * NSEC_PER_USEC)
#define HANDOFF_SKIP 10 /* bad ones in a row: not handed over are then 2 to this */

/* A timer for each CPU, which fires while there are hand-offs on it. Producer and consumer: the
 * dispatcher alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPPLAND_MAX_CPUS);
	__type(key, u32);
	__type(value, struct nudge);
} handoffs SEC(".maps");

/* Started once for many hand-offs: to start a timer for each would cost more than they save. */
static int look_after_handoff(void *map, u32 *cpu, struct nudge *nudge)
{
	struct cpu_state *state = cpu_state_of(*cpu);
	u64 now = bpf_ktime_get_ns();

	__sync_lock_test_and_set(&nudge->armed, 0);
	if (!state || !state->handed_at)
		return 0;
	if (before(now, state->handed_at + HANDOFF_MAX)) {
		start_nudge(nudge, state->handed_at + HANDOFF_MAX - now);
		return 0;
	}
	scx_bpf_kick_cpu(*cpu, CORE_ENUM(scx_kick_flags, SCX_KICK_PREEMPT));
	return 0;
}

int init_handoffs(void)
{
	u32 cpu;

	bpf_for (cpu, 0, nr_cpu_ids) {
		u32 key = cpu;
		struct nudge *nudge = bpf_map_lookup_elem(&handoffs, &key);
		s32 err;

		if (!nudge)
			return -ESRCH;
		err = bpf_timer_init(&nudge->timer, &handoffs, CLOCK_MONOTONIC);
		if (!err)
			err = bpf_timer_set_callback(&nudge->timer, look_after_handoff);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Whether @p, which wakes up, comes right after who runs on @cpu: nobody else waits, and the agent
 * is not wanted, so there is nothing to look for in between. A strict policy's agent may have to
 * choose, should somebody else wake up until then.
 */
static bool is_next(s32 cpu)
{
	u32 d = domain_of(cpu);
	const struct agent_state *agent = &domain_at(d)->agent;

	return !ask_always && !agent->wanted && !agent->overdue &&
	       !scx_bpf_dsq_nr_queued(local_on(cpu)) && !scx_bpf_dsq_nr_queued(dsq_of(d, HELD)) &&
	       !scx_bpf_dsq_nr_queued(dsq_of(d, ASKED)) && nothing_waits_for(cpu);
}

/* Whether @p has been let down too often to be left a CPU this time. */
static bool shuns_handoff(struct task_ctx *tctx)
{
	if (!tctx->handoff_skip)
		return false;
	tctx->handoff_skip--;
	return true;
}

/* Whether the current task, which wakes @p up, hands over its CPU to it. */
static bool hand_over(struct task_struct *p, struct task_ctx *tctx, u64 wake_flags)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *state = cpu_state_of(cpu);
	struct nudge *nudge;

	if (!(wake_flags & CORE_ENUM(scx_wake_flags, SCX_WAKE_SYNC)) || !state)
		return false;
	if (shuns_handoff(tctx))
		return false;
	/* An interrupt may come while somebody else runs, or nobody. */
	if (state->runs != RUNS_TASK || state->tid != (s32)bpf_get_current_pid_tgid())
		return false;
	if (is_going(cpu) || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr) || !is_next(cpu))
		return false;
	nudge = bpf_map_lookup_elem(&handoffs, &cpu);
	if (!nudge || !take_cpu(cpu, p, tctx->woke_at))
		return false;
	state->handed_at = tctx->woke_at;
	start_nudge(nudge, HANDOFF_MAX);
	return true;
}

/* A task begins to run on the CPU that it was left, or comes next to; at best it waits @good ns. */
static void learn_from_handoff(struct task_ctx *tctx, u64 now, u64 good)
{
	if (before(now, tctx->woke_at + good)) {
		tctx->handoffs_missed = 0;
		return;
	}
	if (tctx->handoffs_missed < HANDOFF_SKIP)
		tctx->handoffs_missed++;
	tctx->handoff_skip = 1U << (tctx->handoffs_missed & 15);
}

#endif /* CPPLAND_BPF_HANDOFF_H */
