/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * balance.bpf.h - between domains: no CPU idles while somebody waits elsewhere, and nobody gets
 * much less than others because of where it waits.
 *
 * All vtimes have one scale. A domain's clock, its vtime_now, goes the slower the more its tasks
 * share each of its CPUs. So a domain takes over the first of those that wait in another one whose
 * clock is behind: load goes from where there is more of it to where there is less, until the
 * clocks keep pace. A domain with an idle CPU is behind nobody, whatever its clock says.
 */
#ifndef CPPLAND_BPF_BALANCE_H
#define CPPLAND_BPF_BALANCE_H

#include "agent.bpf.h"

/* From hold() to the queue it takes less. */
#define ON_ITS_WAY_TO_WAIT (5 * NSEC_PER_USEC)

#define BALANCE_EVERY (2 * NSEC_PER_MSEC)
#define BALANCE_LAG   (10 * NSEC_PER_MSEC) /* of vtime */
#define BALANCE_PAUSE (8 * NSEC_PER_MSEC)  /* for a domain that somebody is taken from */

/* Whether anybody waits in any domain, but for a CPU's own queue. */
int anybody_waits(void)
{
	u32 d;

	bpf_for (d, 0, nr_domains)
		if (scx_bpf_dsq_nr_queued(dsq_of(d, HELD)) ||
		    scx_bpf_dsq_nr_queued(dsq_of(d, ASKED)) ||
		    scx_bpf_dsq_nr_queued(dsq_of(d, SHARED)) ||
		    scx_bpf_dsq_nr_queued(dsq_of(d, URGENT)))
			return true;
	return false;
}

/* Whether somebody is on its way to the queues of a domain, perhaps. */
int anybody_is_coming(u64 now)
{
	u32 d;

	bpf_for (d, 0, nr_domains)
		if (before(now, READ_ONCE(domain_at(d)->held_at) + ON_ITS_WAY_TO_WAIT))
			return true;
	return false;
}

/* Takes the first that waits in domain @d to this CPU, which is in another one. */
static bool take_over(u32 d)
{
	if (scx_bpf_dsq_move_to_local(dsq_of(d, URGENT)) ||
	    scx_bpf_dsq_move_to_local(dsq_of(d, SHARED)))
		return true;
	if (!scx_bpf_dsq_move_to_local(dsq_of(d, HELD)) &&
	    !scx_bpf_dsq_move_to_local(dsq_of(d, ASKED)))
		return false;
	count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
	return true;
}

/* A domain without a CPU has an agent all the same, which must run now and then. */
int run_deserted_agent(void)
{
	u32 d;

	bpf_for (d, 0, nr_domains) {
		struct domain *dom = domain_at(d);

		if (!dom->nr_online && dom->agent.overdue &&
		    scx_bpf_dsq_move_to_local(dsq_of(d, AGENT))) {
			dom->agent.overdue = 0;
			return true;
		}
	}
	return false;
}

/* Round about, the @i-th after @mine. */
static u32 domain_after(u32 mine, u32 i)
{
	return mine + i < nr_domains ? mine + i : mine + i - nr_domains;
}

/* The clock that is ahead of all. */
static u64 first_clock(void)
{
	u64 clock = domain_at(0)->vtime_now;
	u32 d;

	bpf_for (d, 1, nr_domains)
		if (before(clock, READ_ONCE(domain_at(d)->vtime_now)))
			clock = READ_ONCE(domain_at(d)->vtime_now);
	return clock;
}

/*
 * The first of a domain that is behind @mine runs here. One at a time is taken from a domain, and
 * none while that catches up: what it has to do is what decides how fast its clock goes, and how
 * far behind that is follows later.
 */
int balance(u32 mine, u64 now)
{
	u64 clock = domain_at(mine)->vtime_now;
	u64 first = first_clock();
	u32 i;

	bpf_for (i, 1, nr_domains) {
		u32 d = domain_after(mine, i);
		struct domain *dom = domain_at(d);
		u64 lag = first - READ_ONCE(dom->vtime_now);
		bool catches_up = lag < dom->lag;

		if (!before(READ_ONCE(dom->vtime_now) + BALANCE_LAG, clock) ||
		    before(now, dom->next_loss_at))
			continue;
		dom->next_loss_at = now + BALANCE_PAUSE;
		dom->lag = lag;
		if (!catches_up && take_over(d))
			return true;
	}
	return false;
}

/* Who runs on and on does not begin to run, by which the clock goes. */
static void charge_running(struct domain *dom, struct task_struct *p)
{
	struct task_ctx *tctx;

	barrier_var(p); /* as in replenish() */
	if (!p)
		return;
	tctx = task_ctx_of(p);
	if (!tctx)
		return;
	charge(p, tctx);
	advance_clock(dom, tctx->vtime);
}

/* Before what waits in this CPU's own domain @mine, and before @prev, if that may go on. */
static bool serve_others(u32 mine, struct task_struct *prev, u64 now)
{
	struct domain *dom = domain_at(mine);

	if (nr_deserted && run_deserted_agent())
		return true;
	if (before(now, dom->next_balance_at))
		return false;
	dom->next_balance_at = now + BALANCE_EVERY;
	charge_running(dom, prev);
	return balance(mine, now);
}

/* How many wait in domain @d for each of its CPUs, times 16. */
static u32 crowd(u32 d)
{
	u32 nr_online = READ_ONCE(domain_at(d)->nr_online);
	u32 waiting = scx_bpf_dsq_nr_queued(dsq_of(d, HELD)) +
		      scx_bpf_dsq_nr_queued(dsq_of(d, ASKED)) +
		      scx_bpf_dsq_nr_queued(dsq_of(d, SHARED));

	return nr_online ? waiting * 16 / nr_online : ~0U;
}

/*
 * The CPU, perhaps @prev_cpu, in whose domain @p, which is new, shall wait: of its parent's domain
 * and two others, in turn, one where fewer wait. Short tasks are over before balance() sees them.
 */
static s32 place_new(struct task_struct *p, s32 prev_cpu)
{
	u32 mine = domain_of(prev_cpu);
	u32 best = mine, least = crowd(mine);
	u32 i, d, at;
	s32 cpu;

	if (!least)
		return prev_cpu;
	bpf_for (i, 0, 2) {
		u32 waiting;

		d = ++domain_at(mine)->next_choice % nr_domains;
		waiting = crowd(d);
		if (waiting < least) {
			least = waiting;
			best = d;
		}
	}
	if (best == mine)
		return prev_cpu;
	best &= CPPLAND_MAX_DOMAINS - 1;
	bpf_for (at, domain_begin[best], domain_begin[best + 1]) {
		cpu = at < CPPLAND_MAX_CPUS ? cpu_by_domain[at] : -1;
		if (cpu >= 0 && !is_going(cpu) && bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			return cpu;
	}
	return prev_cpu;
}

/* This CPU, of domain @mine, has nothing to do. */
int help_others(u32 mine)
{
	struct domain *dom = domain_at(mine);
	u32 i;

	bpf_for (i, 1, nr_domains) {
		u32 d = domain_after(mine, i);

		advance_clock(dom, READ_ONCE(domain_at(d)->vtime_now));
		if (take_over(d))
			return true;
	}
	return false;
}

#endif /* CPPLAND_BPF_BALANCE_H */
