/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rings.bpf.h - events to the agent, decisions from it.
 *
 * Events: many CPUs write, the agent reads.
 *   - full: the event is dropped and counted; the task stays held, so nothing is lost
 *   - a CPU claims a slot by adding to `event_head`; it holds no lock, and a claimed slot is always
 * filled
 *   - the last CPPLAND_MAX_CPUS slots stay free, so that CPUs which claim at once never overtake
 * the reader
 *   - a reader's index that makes no sense looks like a full ring
 * Decisions: the agent writes, one CPU at a time reads.
 *   - who does not get the lock goes on: the holder, with interrupts off, reads everything
 *   - a writer's index that makes no sense empties the ring
 */
#ifndef CPPLAND_BPF_RINGS_H
#define CPPLAND_BPF_RINGS_H

#include "state.bpf.h"

#define DRAIN_MAX 512

/* To the agent of domain @d. */
static bool send_event(u32 d, enum cppland_event_type type, struct task_struct *p,
		       struct task_ctx *tctx)
{
	struct cppland_channel *channel = channel_at(d);
	u64 head = READ_ONCE(channel->dispatcher.event_head);
	u64 total = p->se.sum_exec_runtime;
	struct cppland_event *e;

	if (head - READ_ONCE(channel->agent.event_tail) >= CPPLAND_EVENT_SLOTS - CPPLAND_MAX_CPUS) {
		count(CPPLAND_NR_SCHED_CONGESTED, 1);
		return false;
	}
	head = __sync_fetch_and_add(&channel->dispatcher.event_head, 1);
	e = &channel->event[head & (CPPLAND_EVENT_SLOTS - 1)];
	e->generation = tctx->generation;
	e->type = type;
	e->domain = d;
	e->tid = p->pid;
	e->tgid = p->tgid;
	e->cpu = scx_bpf_task_cpu(p);
	e->nr_cpus_allowed = p->nr_cpus_allowed;
	e->weight = p->scx.weight;
	e->flags = (tctx->flags & TASK_WOKE ? CPPLAND_TASK_WOKE : 0) |
		   (p->flags & PF_KTHREAD ? CPPLAND_TASK_KTHREAD : 0);
	e->at_ns = tctx->since;
	/* It may run meanwhile, and another CPU may have told more of it. */
	e->used_ns = before(total, tctx->told_ns) ? 0 : total - tctx->told_ns;
	e->exec_runtime_ns = before(total, tctx->woke_ns) ? 0 : total - tctx->woke_ns;
	e->total_ns = total;
	e->preempt_ns = tctx->preempt_ns;
	__builtin_memcpy(e->comm, p->comm, sizeof(e->comm));
	tctx->flags = (tctx->flags & ~TASK_WOKE) | TASK_ANNOUNCED;
	/* Pairs with the agent's acquiring load of `seq`: an exchange is a full barrier on every
	 * architecture. */
	__sync_lock_test_and_set(&e->seq, head + 1);

	tctx->preempt_ns = 0;
	if (before(tctx->told_ns, total))
		tctx->told_ns = total;
	count(CPPLAND_NR_EVENTS, 1);
	return true;
}

/*
 * Tells the agent of domain @d of @p, and another one that it need not remember it any more. @p may
 * be on its way out of one of its queues, and run and exit before this comes to its end: whoever
 * has heard of it hears of that, too.
 */
static bool tell(u32 d, enum cppland_event_type type, struct task_struct *p, struct task_ctx *tctx)
{
	bool moved = tctx->flags & TASK_ANNOUNCED && tctx->told_in != d;
	u32 before = tctx->told_in;

	tctx->told_in = d;
	if (!send_event(d, type, p, tctx)) {
		tctx->told_in = before;
		return false;
	}
	if (moved)
		send_event(before, CPPLAND_EVENT_GONE, p, tctx);
	/* Sending is a full barrier, and so is what ops.exit_task() begins with. */
	if (READ_ONCE(tctx->exited))
		send_event(d, CPPLAND_EVENT_GONE, p, tctx);
	return true;
}

static void grant_credit(struct task_struct *p, struct task_ctx *tctx, u64 credit)
{
	u64 total = p->se.sum_exec_runtime;

	if (credit > forget_ns)
		credit = forget_ns;
	tctx->credit_until = total + credit;
	tctx->credit_low = total + credit / 2;
	tctx->flags &= ~TASK_CREDIT_LOW;
}

static bool is_usable(struct task_struct *p, s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	return state && (u32)cpu < nr_cpu_ids && state->offline == CPU_IS_ONLINE &&
	       bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
}

/*
 * Where a decision sends its task, and the CPU to wake for it (or -1). For any idle CPU that is
 * where all CPUs look: should the idle one be taken meanwhile, another serves the task.
 */
static u64 decided_queue(u32 d, struct task_struct *p, s32 cpu, s32 *wake)
{
	if (cpu >= 0) {
		if (is_usable(p, cpu)) {
			*wake = cpu;
			uses_own_queue(cpu);
			return cpu;
		}
		count(CPPLAND_NR_BOUNCE_DISPATCHES, 1);
	}
	*wake = pick_idle_once(p);
	return dsq_of(d, SHARED);
}

/* Carries out one decision on a task of ASKED in @domain, over which @it iterates. */
static void decide(u32 domain, struct bpf_iter_scx_dsq *it, const struct cppland_decision *d)
{
	struct task_struct *p;
	struct task_ctx *tctx;
	u64 dsq, slice;
	s32 wake;

	if (d->domain != domain ||
	    (d->op != CPPLAND_DECIDE_RUN && d->op != CPPLAND_DECIDE_CREDIT)) {
		count(CPPLAND_NR_FAILED_DISPATCHES, 1);
		return;
	}
	p = bpf_task_from_pid(d->tid);
	if (!p) {
		count(CPPLAND_NR_CANCEL_DISPATCHES, 1);
		return;
	}
	tctx = task_ctx_of(p);
	if (!tctx || tctx->generation >> 32 != d->generation >> 32) {
		count(CPPLAND_NR_CANCEL_DISPATCHES, 1);
		goto out;
	}
	/* That holds for a task, too, that a free CPU has taken from ASKED meanwhile. */
	grant_credit(p, tctx, d->wake_credit_ns);
	if (d->op == CPPLAND_DECIDE_CREDIT)
		goto out;
	if (tctx->generation != d->generation) {
		count(CPPLAND_NR_CANCEL_DISPATCHES, 1);
		goto out;
	}
	slice = d->slice_ns ?: slice_ns;
	if (slice > slice_max_ns)
		slice = slice_max_ns;
	dsq = decided_queue(domain, p, d->cpu, &wake);
	scx_bpf_dsq_move_set_slice(it, slice);
	scx_bpf_dsq_move_set_vtime(it, d->key);
	if (scx_bpf_dsq_move_vtime(it, p, dsq, 0)) {
		tctx->key = d->key;
		tctx->key_reign = READ_ONCE(reign);
		tctx->run_until = p->se.sum_exec_runtime + slice;
		tctx->run_on = dsq < CPPLAND_MAX_CPUS ? (s32)dsq : -1;
		tctx->has_key = tctx->decided = 1;
		count(CPPLAND_NR_USER_DISPATCHES, 1);
		trace("decided %d cpu %d slice %llu", p->pid, d->cpu, slice);
	} else {
		/* Perhaps it is only on its way to ASKED, where the next rescue finds it. */
		tctx->asked_at = 0;
		count(CPPLAND_NR_CANCEL_DISPATCHES, 1);
	}
	wake_idle(wake, domain);
out:
	bpf_task_release(p);
}

/* Reads the ring of domain @d from @tail on, up to @head; returns how far it got. With the lock
 * held. */
u64 drain_locked(u32 d, u64 tail, u64 head)
{
	struct bpf_iter_scx_dsq it;
	u32 n;

	if (head - tail > CPPLAND_DECISION_SLOTS) {
		count(CPPLAND_NR_FAILED_DISPATCHES, 1);
		return head;
	}
	/* The iterator comes after every task that has been asked about: only those can be moved
	 * with it. */
	if (!bpf_iter_scx_dsq_new(&it, dsq_of(d, ASKED), 0)) {
		bpf_for (n, 0, DRAIN_MAX) {
			struct cppland_decision decision;

			if (tail == head)
				break;
			decision = channel_at(d)->decision[tail & (CPPLAND_DECISION_SLOTS - 1)];
			decide(d, &it, &decision);
			tail++;
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
	return tail;
}

/* Carries out the decisions that have arrived for domain @d. From ops.dispatch(), on any CPU. */
static void drain_decisions(u32 d)
{
	struct cppland_channel *channel = channel_at(d);
	struct domain *dom = domain_at(d);
	u64 tail;

	if (READ_ONCE(channel->agent.decision_head) == READ_ONCE(channel->dispatcher.decision_tail))
		return;
	if (__sync_lock_test_and_set(&dom->drain_lock, 1))
		return;
	tail = drain_locked(d, channel->dispatcher.decision_tail,
			    READ_ONCE(channel->agent.decision_head));
	WRITE_ONCE(channel->dispatcher.decision_tail, tail);
	/* Pairs with the next holder's exchange. */
	__sync_lock_test_and_set(&dom->drain_lock, 0);
}

#endif /* CPPLAND_BPF_RINGS_H */
