/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rescue.bpf.h - nobody waits for ever, whatever the agent and the policy do.
 */
#ifndef CPPLAND_BPF_RESCUE_H
#define CPPLAND_BPF_RESCUE_H

#include "agent.bpf.h"

#define RECALL_MAX   128
#define RESCUE_MAX   1024
#define DISMISS_MAX  16
#define RESCUE_SLICE NSEC_PER_MSEC /* short, since all who are rescued go before everybody else */
/* Puts points in time before all urgency(), which is about 0, and after nothing that wraps. */
#define BEFORE_CREDIT (1ULL << 62)

/* What the agent of domain @d was asked about, or has decided, is taken back out of queue @dsq, and
 * is served from HELD. */
int take_back(u32 d, u64 dsq)
{
	struct task_struct *p;
	u32 most = dsq == dsq_of(d, ASKED) ? RECALL_MAX : RESCUE_MAX;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq, 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		if (n++ >= most)
			break;
		if (!tctx)
			continue;
		tctx->generation++;
		tctx->decided = 0;
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
		if (!tctx)
			continue;
		since = dsq == dsq_of(d, ASKED) ? tctx->asked_at : tctx->since;
		if (before(now, since + longest))
			continue;
		if (is_agent(p)) {
			scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, dsq_of(d, AGENT), 0);
			continue;
		}
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

/* Who is parked, and not the agent any more, waits like everybody else. */
int dismiss(u32 d, u64 now)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq_of(d, AGENT), 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		if (n++ >= DISMISS_MAX)
			break;
		if (!tctx || is_agent(p))
			continue;
		tctx->since = now;
		tctx->generation++;
		scx_bpf_dsq_move_set_vtime(BPF_FOR_EACH_ITER, tctx->vtime);
		scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, dsq_of(d, HELD), 0);
		wake_idle_for(p);
	}
	return 0;
}

/* An agent that waits like everybody else, from when it was none, is parked where agents are. */
int promote(u32 d)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq_of(d, HELD), 0) {
		if (n++ >= RESCUE_MAX)
			break;
		if (is_agent(p))
			scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, dsq_of(d, AGENT), 0);
	}
	return 0;
}

/* Another agent decides from here on. Its keys mean something else than those before. */
static void look_after_succession(u32 d, u64 now)
{
	u32 i;

	domain_at(d)->succeeded = 0;
	dismiss(d, now);
	take_back(d, dsq_of(d, ASKED));
	take_back(d, dsq_of(d, SHARED));
	bpf_for (i, domain_begin[d & (CPPLAND_MAX_DOMAINS - 1)],
		 domain_begin[(d & (CPPLAND_MAX_DOMAINS - 1)) + 1]) {
		s32 cpu = i < CPPLAND_MAX_CPUS ? cpu_by_domain[i] : -1;

		if (nr_own(cpu))
			take_back(d, cpu);
	}
	promote(d);
}

/* Nobody waits for an agent that is late. */
static void recall_what_is_late(u32 d, u64 now)
{
	struct domain *dom = domain_at(d);

	if (!agent_is_late(dom, now) || !scx_bpf_dsq_nr_queued(dsq_of(d, ASKED)))
		return;
	if (!dom->agent.failover_at)
		fail_over(dom, now);
	take_back(d, dsq_of(d, ASKED));
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
