/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * succession.bpf.h - the agents of another process take over, while the dispatcher goes on.
 *
 * The ones before need not agree, nor even be able to: they are agents no more from one moment to
 * the next. What they still write goes into channels that nobody reads, and what they were asked
 * about, or have decided, is taken back. They may come back, with all that they know, if their
 * successors do not answer within `trial_ns`.
 */
#ifndef CPPLAND_BPF_SUCCESSION_H
#define CPPLAND_BPF_SUCCESSION_H

#include "agent.bpf.h"

#define MOST_CREDIT (1000 * NSEC_PER_MSEC)

STATE u32 succession_lock;
STATE struct cppland_agents candidate;	 /* under the lock */
STATE struct cppland_agents predecessor; /* of those on trial */

/* What install() has to be given for the agents that there are. */
int remember_agents(void)
{
	u32 d;

	predecessor.tgid = agent_tgid;
	predecessor.flags = (ask_always ? CPPLAND_AGENTS_ASK_ALWAYS : 0) |
			    (percpu_local ? CPPLAND_AGENTS_PERCPU_LOCAL : 0);
	predecessor.slice_ns = slice_ns;
	predecessor.sleeper_credit_ns = sleeper_credit_ns;
	predecessor.late_ns = late_ns;
	predecessor.forget_ns = forget_ns;
	predecessor.rescue_every_ns = rescue_every_ns;
	predecessor.starve_ns = starve_ns;
	bpf_for (d, 0, nr_domains)
		predecessor.tid[d & (CPPLAND_MAX_DOMAINS - 1)] =
			agent_tid[d & (CPPLAND_MAX_DOMAINS - 1)];
	return 0;
}

/* From here on this task's time counts, as for everybody: not what it used as an agent. */
static void becomes_ordinary(u32 d, s32 tid)
{
	struct task_struct *p = bpf_task_from_pid(tid);
	struct task_ctx *tctx;

	if (!p)
		return;
	tctx = task_ctx_of(p);
	if (tctx) {
		tctx->vtime = domain_at(d)->vtime_now;
		tctx->charged_ns = tctx->told_ns = p->se.sum_exec_runtime;
	}
	bpf_task_release(p);
}

/* From here on the agents of @next decide, whoever did. */
static void install(const struct cppland_agents *next)
{
	u64 now = bpf_ktime_get_ns();
	u32 d;

	WRITE_ONCE(agent_tgid, 0); /* until all are named nobody is an agent */
	slice_ns = next->slice_ns;
	sleeper_credit_ns = next->sleeper_credit_ns;
	late_ns = next->late_ns;
	forget_ns = next->forget_ns;
	rescue_every_ns = next->rescue_every_ns;
	starve_ns = next->starve_ns;
	ask_always = !!(next->flags & CPPLAND_AGENTS_ASK_ALWAYS);
	percpu_local = !!(next->flags & CPPLAND_AGENTS_PERCPU_LOCAL);
	/* A full barrier: what is below is about the channels of the new reign. */
	__sync_fetch_and_add(&reign, 1);
	bpf_for (d, 0, nr_domains) {
		struct domain *dom = domain_at(d);

		becomes_ordinary(d, agent_tid[d & (CPPLAND_MAX_DOMAINS - 1)]);
		WRITE_ONCE(agent_tid[d & (CPPLAND_MAX_DOMAINS - 1)],
			   next->tid[d & (CPPLAND_MAX_DOMAINS - 1)]);
		agent_done(dom, 0, now, READ_ONCE(channel_at(d)->agent.passes));
		dom->agent.answered = 0;
		dom->agent.overdue = 1;
		dom->succeeded = 1;
	}
	WRITE_ONCE(shm.reign, reign);
	WRITE_ONCE(shm.agent_tgid, next->tgid);
	WRITE_ONCE(agent_tgid, next->tgid);
}

/* A successor that does not answer was none. From the heartbeat. */
static void look_after_trial(u64 now)
{
	u64 since = READ_ONCE(on_trial_since);

	if (!since || before(now, since + trial_ns))
		return;
	if (__sync_lock_test_and_set(&succession_lock, 1))
		return; /* the next heartbeat will do */
	if (__sync_val_compare_and_swap(&on_trial_since, since, 0) == since) {
		install(&predecessor);
		count(CPPLAND_NR_REVERTED, 1);
		WRITE_ONCE(shm.on_trial, 0);
	}
	__sync_lock_test_and_set(&succession_lock, 0);
}

static bool is_thread_of(s32 tid, s32 tgid)
{
	struct task_struct *p = bpf_task_from_pid(tid);
	bool yes;

	if (!p)
		return false;
	yes = p->tgid == tgid;
	bpf_task_release(p);
	return yes;
}

/* Whether `candidate` can take over: 0, or what is against it. */
int check_candidate(void)
{
	u32 d;

	if (candidate.version != CPPLAND_ABI_VERSION || candidate.nr_domains != nr_domains)
		return -EINVAL;
	if (candidate.sleeper_credit_ns > MOST_CREDIT || !candidate.slice_ns ||
	    candidate.slice_ns > slice_max_ns || !candidate.late_ns || !candidate.forget_ns ||
	    !candidate.rescue_every_ns || !candidate.starve_ns)
		return -EINVAL;
	if (on_trial_since)
		return -EBUSY;
	if (candidate.reign != reign)
		return -EAGAIN;
	bpf_for (d, 0, nr_domains)
		if (!is_thread_of(candidate.tid[d & (CPPLAND_MAX_DOMAINS - 1)], candidate.tgid))
			return -ESRCH;
	return 0;
}

/*
 * The agents of @next, threads of one process, take over. It has prepared its ends of the channels
 * that are not in use. -EBUSY: others are doing so; -EAGAIN: others have done so meanwhile.
 */
s32 SYSCALL_PROGRAM(cppland_succeed, struct cppland_agents *next)
{
	s32 err;

	if (__sync_lock_test_and_set(&succession_lock, 1))
		return -EBUSY;
	__builtin_memcpy(&candidate, next, sizeof(candidate));
	err = check_candidate();
	if (!err) {
		remember_agents();
		bpf_preempt_disable();	     /* in between nobody is an agent */
		WRITE_ONCE(shm.on_trial, 1); /* so that the ones before do not leave at once */
		install(&candidate);
		count(CPPLAND_NR_UPGRADES, 1);
		WRITE_ONCE(on_trial_since, bpf_ktime_get_ns());
		bpf_preempt_enable();
	}
	__sync_lock_test_and_set(&succession_lock, 0);
	return err;
}

#endif /* CPPLAND_BPF_SUCCESSION_H */
