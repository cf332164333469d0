/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rescue.bpf.h - nobody waits for ever, whatever the agent and the policy do.
 */
#ifndef CPPLAND_BPF_RESCUE_H
#define CPPLAND_BPF_RESCUE_H

#include "agent.bpf.h"

#define RECALL_MAX   128
#define RESCUE_MAX   1024
#define RESCUE_SLICE NSEC_PER_MSEC /* short, since all who are rescued go before everybody else */
/* Puts points in time before all urgency(), which is about 0, and after nothing that wraps. */
#define BEFORE_CREDIT (1ULL << 62)

/* What the late agent was asked about is taken back, and is served from HELD. */
int recall(u32 d, u64 now)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	if (!domain_at(d)->agent.failover_at)
		fail_over(domain_at(d), now);
	bpf_for_each (scx_dsq, p, dsq_of(d, ASKED), 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		if (n++ >= RECALL_MAX)
			break;
		if (!tctx)
			continue;
		tctx->generation++;
		scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, tctx->vtime);
		scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, dsq_of(d, HELD), 0);
	}
	return 0;
}

/*
 * Makes those of the first tasks in queue @dsq, or of the last with REV, the next to run in
 * domain @d that have waited for longer than @longest.
 */
int rescue_from(u32 d, u64 dsq, u64 iter_flags, u64 now, u64 longest)
{
	struct task_struct *p;
	u32 most = dsq == dsq_of(d, ASKED) ? RECALL_MAX : RESCUE_MAX;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq, iter_flags) {
		struct task_ctx *tctx = task_ctx_of(p);
		u64 since;

		if (n++ >= most)
			break;
		if (!tctx || is_agent(p))
			continue;
		since = dsq == dsq_of(d, ASKED) ? tctx->asked_at : tctx->since;
		if (before(now, since + longest))
			continue;
		/* Whoever has waited for longest comes first, whenever it was rescued, and before
		 * who has credit. Any CPU may take it, the first that can. */
		scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, since - BEFORE_CREDIT);
		scx_bpf_dsq_move_set_slice(BPF_FOR_EACH_ITER,
					   slice_ns < RESCUE_SLICE ? slice_ns : RESCUE_SLICE);
		tctx->rescued = 1;
		tctx->decided = 0;
		if (!scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, dsq_of(d, URGENT), 0))
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
static void rescue(s32 cpu, u32 d, u64 now)
{
	struct cpu_state *state = cpu_state_of(cpu);
	struct domain *dom = domain_at(d);
	u32 nr_online = READ_ONCE(dom->nr_online) ?: 1;

	if (state && is_time(&state->next_rescue_at, now, rescue_every_ns))
		rescue_from(d, cpu, SCX_DSQ_ITER_REV, now, starve_ns);
	/* As often as there are CPUs to serve who is rescued. */
	if (!is_time(&dom->next_rescue_at, now, rescue_every_ns / nr_online))
		return;
	rescue_from(d, dsq_of(d, ASKED), 0, now, forget_ns);
	rescue_from(d, dsq_of(d, SHARED), SCX_DSQ_ITER_REV, now, starve_ns);
	rescue_from(d, dsq_of(d, HELD), 0, now, starve_ns);
}

#endif /* CPPLAND_BPF_RESCUE_H */
