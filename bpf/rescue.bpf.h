/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rescue.bpf.h - nobody waits for ever, whatever the agent and the policy do.
 */
#ifndef CPPLAND_BPF_RESCUE_H
#define CPPLAND_BPF_RESCUE_H

#include "agent.bpf.h"

#define RECALL_MAX   128
#define RESCUE_MAX   1024
#define RESCUE_EVERY (50 * NSEC_PER_MSEC)
#define RESCUE_SLICE NSEC_PER_MSEC /* short, since all who are rescued go before everybody else */
/* Puts points in time before all urgency(), which is about 0, and after nothing that wraps. */
#define BEFORE_CREDIT (1ULL << 62)

STATE u64 next_rescue_at; /* from the queues of the whole machine */

/* What the late agent was asked about is taken back, and is served from HELD. */
int recall(u64 now)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	if (!agent.failover_at)
		fail_over(now);
	bpf_for_each (scx_dsq, p, DSQ_ASKED, 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		if (n++ >= RECALL_MAX)
			break;
		if (!tctx)
			continue;
		tctx->generation++;
		scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, tctx->vtime);
		scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, DSQ_HELD, 0);
	}
	return 0;
}

/*
 * Makes those of the first @most tasks in queue @dsq, or of the last with REV, the next to run that
 * have waited for longer than @longest.
 */
int rescue_from(u64 dsq, u64 iter_flags, u64 now, u64 longest, u32 most)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq, iter_flags) {
		struct task_ctx *tctx = task_ctx_of(p);
		u64 since;

		if (n++ >= most)
			break;
		if (!tctx || is_agent(p))
			continue;
		since = dsq == DSQ_ASKED ? tctx->asked_at : tctx->since;
		if (before(now, since + longest))
			continue;
		/* Whoever has waited for longest comes first, whenever it was rescued, and before
		 * who has credit. Any CPU may take it, the first that can. */
		scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, since - BEFORE_CREDIT);
		scx_bpf_dsq_move_set_slice(BPF_FOR_EACH_ITER,
					   slice_ns < RESCUE_SLICE ? slice_ns : RESCUE_SLICE);
		tctx->rescued = 1;
		tctx->decided = 0;
		if (!scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, DSQ_URGENT, 0))
			continue; /* somebody has it */
		count(CPPLAND_NR_RESCUED, 1);
		count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
		wake_idle_for(p); /* who was in a CPU's queue had to wait for that one */
	}
	return 0;
}

static bool is_time(u64 *next, u64 now, u64 pause)
{
	if (before(now, *next))
		return false;
	*next = now + pause;
	return true;
}

/*
 * A live agent may forget what it was asked about: that is first in ASKED. A policy, or credit, may
 * put others ahead of a task again and again: it is last in a queue that is in the order of keys,
 * and first in HELD, where vtime lets everybody get ahead in time.
 */
static void rescue(s32 cpu, u64 now)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (state && is_time(&state->next_rescue_at, now, RESCUE_EVERY))
		rescue_from(cpu, SCX_DSQ_ITER_REV, now, starve_ns, RESCUE_MAX);
	/* As often as there are CPUs to serve who is rescued. */
	if (!is_time(&next_rescue_at, now, RESCUE_EVERY / READ_ONCE(nr_online)))
		return;
	rescue_from(DSQ_ASKED, 0, now, forget_ns, RECALL_MAX);
	rescue_from(DSQ_SHARED, SCX_DSQ_ITER_REV, now, starve_ns, RESCUE_MAX);
	rescue_from(DSQ_HELD, 0, now, starve_ns, RESCUE_MAX);
}

#endif /* CPPLAND_BPF_RESCUE_H */
