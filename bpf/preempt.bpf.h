/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * preempt.bpf.h - whom a wake-up preempts, and when.
 */
#ifndef CPPLAND_BPF_PREEMPT_H
#define CPPLAND_BPF_PREEMPT_H

#include "rings.bpf.h"

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
 * A timer for each CPU, which preempts what runs there if by then somebody still waits in URGENT:
 * the CPU then looks there first.
 * Producer and consumer: the dispatcher alone.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPPLAND_MAX_CPUS);
	__type(key, u32);
	__type(value, struct nudge);
} nudges SEC(".maps");

static void start_nudge(struct nudge *nudge, u64 in_ns)
{
	/* Armed first: the timer may fire on another CPU before this one goes on. */
	if (nudge->armed || is_deaf() || __sync_lock_test_and_set(&nudge->armed, 1))
		return;
	if (bpf_timer_start(&nudge->timer, in_ns, 0))
		__sync_lock_test_and_set(&nudge->armed, 0);
}

static int nudge_now(void *map, u32 *cpu, struct nudge *nudge)
{
	__sync_lock_test_and_set(&nudge->armed, 0);
	if (scx_bpf_dsq_nr_queued(dsq_of(domain_of(*cpu), URGENT)))
		scx_bpf_kick_cpu(*cpu, CORE_ENUM(scx_kick_flags, SCX_KICK_PREEMPT));
	return 0;
}

static void nudge_later(u32 cpu, u64 in_ns)
{
	struct nudge *nudge = bpf_map_lookup_elem(&nudges, &cpu);

	if (nudge)
		start_nudge(nudge, in_ns);
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

/* Far from what it may use before it has to wait its turn. */
static bool is_rich(const struct task_ctx *tctx)
{
	return tctx->flags & TASK_BEHIND || before(tctx->charged_ns + rich_ns, tctx->credit_until);
}

/*
 * Whether a task which wakes up but could preempt nobody is served before what is decided. That is
 * for whoever uses so little that its credit does not get less. Were it for everybody with credit,
 * tasks that send each other messages would run once for every message, instead of once for many,
 * be there a pause between its wake-ups or not: of 400 tasks on two CPUs each has one. While the
 * agent is late credit stays as it is, so then it is for the frame and the sound only.
 */
static bool is_urgent(const struct task_ctx *tctx)
{
	if (tctx->flags & TASK_BEHIND)
		return tctx->flags & TASK_RARE;
	return tctx->flags & TASK_HAS_CREDIT && is_rich(tctx);
}

/* The order of the urgent: who may use most before it has to wait its turn comes first. */
static u64 urgency(const struct task_ctx *tctx, u64 vtime_now)
{
	if (tctx->flags & TASK_HAS_CREDIT)
		return tctx->charged_ns - tctx->credit_until;
	return tctx->vtime - vtime_now;
}

/*
 * A preemption on credit that cuts a turn short takes more off it than the time that it is used
 * for: tasks that send each other messages do it all the time. Who was preempted after a while has
 * had its turn. Without the agent each is paid for, with vtime: who uses about its share would
 * preempt all the time else, and be in the way of the frame, which uses little.
 */
static void pay_fee(struct task_ctx *tctx)
{
	tctx->credit_until -= CPPLAND_PREEMPT_NS;
	tctx->credit_low -= CPPLAND_PREEMPT_NS;
	tctx->preempt_ns += CPPLAND_PREEMPT_NS;
}

/*
 * The CPU whose task @p, which wakes up, preempts, taken for it until it begins to run: of those
 * that it may use the one that runs the latest key. With @by_vtime (the agent is late) the
 * dispatcher's own vtime stands for the key, and a small lead is not enough. It is one of @p's
 * domain: keys of different agents have no order. -1 if nobody runs later than @p would.
 *
 * Whoever is latency-critical itself is left alone at first: tasks that wake each other all the
 * time would do little else than preempt each other. When that time is over the CPU is nudged, if
 * @p is urgent. A frame or a sound with credit to spare does not wait for that of others.
 */
static s32 pick_victim(struct task_struct *p, struct task_ctx *tctx, bool by_vtime)
{
	u32 d = domain_of_task(p) & (CPPLAND_MAX_DOMAINS - 1);
	bool spare = is_rich(tctx) && tctx->flags & TASK_RARE;
	u64 latest = by_vtime ? tctx->vtime + slice_ns : tctx->key;
	struct cpu_state *state;
	s32 victim = -1, taken = -1;
	bool may, has_credit;
	u64 ran;
	u32 i;

	/* With time to spare it need not be behind who runs: hardly anybody's vtime is before this.
	 */
	if (by_vtime && spare)
		latest = domain_at(d)->vtime_now - 2 * sleeper_credit_ns;

	bpf_for (i, domain_begin[d], domain_begin[d + 1]) {
		u32 cpu = i < CPPLAND_MAX_CPUS ? cpu_by_domain[i] : CPPLAND_MAX_CPUS;
		bool without_key;
		u64 key;

		state = cpu_state_of(cpu);
		if (!state)
			break;
		if (state->runs != RUNS_TASK || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		if (is_taken(state->taken_at, tctx->woke_at)) {
			taken = cpu; /* whom it runs is preempted already */
			continue;
		}
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
	if (victim < 0 || !state) {
		if (taken >= 0 && is_urgent(tctx))
			nudge_later(taken, spare ? protect_ns / 4 : protect_ns);
		return -1;
	}
	ran = before(state->began_at, tctx->woke_at) ? tctx->woke_at - state->began_at : 0;
	/* While the agent is late nobody has credit: a frame or a sound has it in its stead. */
	has_credit = by_vtime ? state->is_rare : state->has_credit;
	may = ran >= protect_ns || (spare && !state->is_rare) || !has_credit;
	if (may && take_cpu(victim, p, tctx->woke_at)) {
		if (by_vtime)
			tctx->vtime += weighted(CPPLAND_PREEMPT_NS, p);
		else if (ran < protect_ns)
			pay_fee(tctx);
		return victim;
	}
	if (is_urgent(tctx))
		nudge_later(victim, may ? protect_ns : protect_ns - ran);
	return -1;
}

/*
 * The CPU in another domain than its own that @p, which is urgent, preempts: the first that runs
 * somebody without credit. -1 if there is none.
 */
static s32 pick_victim_elsewhere(struct task_struct *p, u64 now)
{
	u32 mine = domain_of_task(p) & (CPPLAND_MAX_DOMAINS - 1);
	u32 i;

	/* Round about, from the CPU after its domain's last. */
	bpf_for (i, domain_begin[mine + 1], domain_begin[mine] + nr_cpus) {
		u32 at = i < nr_cpus ? i : i - nr_cpus;
		s32 cpu = at < CPPLAND_MAX_CPUS ? cpu_by_domain[at] : -1;
		struct cpu_state *state = cpu_state_of(cpu);

		if (!state)
			break;
		if (state->runs == RUNS_TASK && !state->has_credit && !state->is_rare &&
		    bpf_cpumask_test_cpu(cpu, p->cpus_ptr) && !is_taken(state->taken_at, now) &&
		    still_runs(cpu, state->tid))
			return cpu;
	}
	return -1;
}

/* The agent hears that the credit of @p runs out, once for each time that it gave some. */
static void tell_if_credit_is_low(struct task_struct *p, struct task_ctx *tctx)
{
	u32 d = domain_of_task(p);

	if (!(tctx->flags & TASK_CREDIT_LOW) && !before(tctx->charged_ns, tctx->credit_low) &&
	    tell(d, CPPLAND_EVENT_RAN, p, tctx)) {
		tctx->flags |= TASK_CREDIT_LOW;
		domain_at(d)->agent.wanted = 1;
	}
}

/*
 * The CPU that @p, which wakes up, may take over now; -1 if it has to wait. The policy said so
 * ahead of time by giving it credit. While the agent is late nobody renews credit, so whoever is
 * behind its share may.
 */
static s32 preempting_cpu(struct task_struct *p, struct task_ctx *tctx)
{
	bool has_credit = tctx->flags & TASK_HAS_CREDIT;
	s32 cpu;

	if (has_credit)
		tell_if_credit_is_low(p, tctx);
	else if (!agent_is_late(domain_at(domain_of_task(p)), tctx->woke_at))
		return -1;
	cpu = pick_victim(p, tctx, !has_credit);
	if (cpu >= 0 || nr_domains == 1 || !is_urgent(tctx) || !(tctx->flags & TASK_RARE))
		return cpu;
	cpu = pick_victim_elsewhere(p, tctx->woke_at);
	if (cpu < 0 || !take_cpu(cpu, p, tctx->woke_at))
		return -1;
	return cpu;
}

static void preempt(struct task_struct *p, s32 cpu, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, local_on(cpu), slice_ns,
			   enq_flags | CORE_ENUM(scx_enq_flags, SCX_ENQ_PREEMPT) |
				   CORE_ENUM(scx_enq_flags, SCX_ENQ_HEAD));
	count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
	count(CPPLAND_NR_PREEMPT_WAKEUPS, 1);
	trace("%d preempts cpu %d", p->pid, cpu);
}

#endif /* CPPLAND_BPF_PREEMPT_H */
