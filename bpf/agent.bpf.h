/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent.bpf.h - when the agent runs: asked when there is a choice, rested after, gone on without
 * when it is late.
 */
#ifndef CPPLAND_BPF_AGENT_H
#define CPPLAND_BPF_AGENT_H

#include "hotplug.bpf.h"
#include "idle.bpf.h"
#include "rings.bpf.h"

#define ANNOUNCE_MAX 128
#define WAKE_WALK    8
#define AGENT_REST   49 /* for 1 ns of a pass, ns of CPU time to others before the next */

/*
 * Whatever comes here wakes an agent that sleeps. It sleeps where other classes may take all CPUs
 * for seconds: parked it would be runnable, and the kernel's watchdog does not forgive a runnable
 * task that does not run.
 * Producer: the dispatcher; consumer: the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} agent_calls SEC(".maps");

static void call_agent(void)
{
	u8 call = 0;

	if (!bpf_ringbuf_query(&agent_calls, BPF_RB_AVAIL_DATA))
		bpf_ringbuf_output(&agent_calls, &call, sizeof(call), BPF_RB_FORCE_WAKEUP);
}

/* Tells the agent that @p waits. */
static bool ask(u32 d, struct task_struct *p, struct task_ctx *tctx, u64 now)
{
	if (!tell(d, CPPLAND_EVENT_READY, p, tctx))
		return false;
	tctx->asked_at = now;
	return true;
}

/*
 * Tells the agent who waits: HELD moves to ASKED. What does not fit stays for the next pass. For
 * whom there is an idle CPU there is nothing to decide: that CPU is woken, and takes it from HELD.
 * Returns whether any was told of: for the verifier, no count, which would be one more for it to
 * follow through the loop.
 */
int announce(u32 d, u64 now)
{
	struct cppland_dispatcher_line *line = &channel_at(d)->dispatcher;
	struct task_struct *p;
	bool idle = true;
	bool told = false;
	u32 n = READ_ONCE(nothing);

	WRITE_ONCE(line->nr_waiting, scx_bpf_dsq_nr_queued(dsq_of(d, HELD)) +
					     scx_bpf_dsq_nr_queued(dsq_of(d, SHARED)) +
					     scx_bpf_dsq_nr_queued(dsq_of(d, URGENT)));
	WRITE_ONCE(line->nr_online, READ_ONCE(domain_at(d)->nr_online));
	bpf_for_each (scx_dsq, p, dsq_of(d, HELD), 0) {
		struct task_ctx *tctx = task_ctx_of(p);

		if (n++ >= ANNOUNCE_MAX)
			break;
		if (!tctx || is_agent(p))
			continue;
		if (idle) {
			s32 cpu = pick_idle_any(p);

			if (cpu >= 0) {
				wake_idle(cpu, d);
				continue;
			}
			idle = p->nr_cpus_allowed < READ_ONCE(nr_online);
		}
		if (!ask(d, p, tctx, now))
			break;
		scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, dsq_of(d, ASKED), 0);
		told = true;
	}
	return told;
}

/* Wakes an idle CPU, if there is one, for one of the first in @dsq. */
int wake_for(u64 dsq)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	if (!scx_bpf_dsq_nr_queued(dsq))
		return 0;
	bpf_rcu_read_lock(); /* the heartbeat's program does not hold it */
	bpf_for_each (scx_dsq, p, dsq, 0) {
		u32 d = domain_of_task(p);
		s32 cpu = pick_idle_any(p);

		wake_idle(cpu, d);
		if (cpu >= 0 || n++ >= WAKE_WALK)
			break;
	}
	bpf_rcu_read_unlock();
	return 0;
}

/* Wakes idle CPUs, if there are any, for those who wait in domain @d. */
static void wake_for_all(u32 d)
{
	wake_for(dsq_of(d, HELD));
	wake_for(dsq_of(d, SHARED));
	wake_for(dsq_of(d, ASKED));
}

/* @cpu was perhaps woken for somebody else than it has taken, or than it finds before that one. */
static void wake_for_others(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	wake_for_all(domain_of(cpu));
	if (state && state->woken_for) {
		u32 d = state->woken_for - 1;

		state->woken_for = 0;
		wake_for_all(d);
	}
}

/* The agent is late: from here on everybody goes on without it, until it is done with its pass. */
static void fail_over(struct domain *dom, u64 now)
{
	if (__sync_val_compare_and_swap(&dom->agent.failover_at, 0, now))
		return;
	count(CPPLAND_NR_FAILOVERS, 1);
	trace("the agent is late");
}

/* Whether the agent has nothing to do yet, whatever waits. */
static bool agent_rests(const struct agent_state *agent, u64 now)
{
	return !agent->asked_at && !agent->overdue && before(now, agent->rest_until);
}

/*
 * Runs the agent on this CPU if it is free and there is something for it to decide: two tasks or
 * more for one CPU, or one that waits and one whose slice has just ended. It rests after a pass in
 * proportion to what the pass took, so that deciding costs the machine a bounded share; until then
 * the dispatcher's own order serves.
 */
static bool run_agent(s32 cpu, u64 now, s32 held, s32 decided, bool prev_ready)
{
	u32 d = domain_of(cpu);
	struct domain *dom = domain_at(d);
	struct agent_state *agent = &dom->agent;
	struct cpu_state *state = cpu_state_of(cpu);
	bool choice = (held || prev_ready) && held + decided + prev_ready > 1;

	if (!agent->wanted && !agent->overdue && !choice)
		return false;
	if (is_going(cpu))
		return false; /* it would be sent elsewhere, with who waits for it */
	if (!scx_bpf_dsq_nr_queued(dsq_of(d, AGENT))) {
		if (!agent->failover_at && agent_is_late(dom, now))
			fail_over(dom, now);
		if (agent_sleeps && !agent->asked_at)
			call_agent();
		return false;
	}
	if (!agent->asked_at) {
		/* One CPU calls it: what another told it of while it decides would be in HELD
		 * still, and missed. */
		if (__sync_lock_test_and_set(&agent->called, 1))
			return false;
		if (!announce(d, now) && !(prev_ready && decided) && !agent->wanted &&
		    !agent->overdue) {
			__sync_lock_test_and_set(&agent->called, 0);
			return false;
		}
	}
	if (!scx_bpf_dsq_move_to_local(dsq_of(d, AGENT))) {
		if (!agent->asked_at)
			__sync_lock_test_and_set(&agent->called, 0);
		return false;
	}
	if (!agent->asked_at) {
		agent->asked_at = now;
		count(CPPLAND_NR_AGENT_PASSES, 1);
		if (state)
			state->calls_agent = 1;
	}
	agent->wanted = 0;
	agent->overdue = 0;
	wake_for_others(cpu);
	return true;
}

/* Those who took over have all answered: the ones before need not wait to come back. */
static void look_at_trial(void)
{
	u64 since = READ_ONCE(on_trial_since);
	u32 d;

	bpf_for (d, 0, nr_domains)
		if (!domain_at(d)->agent.answered)
			return;
	if (since && __sync_val_compare_and_swap(&on_trial_since, since, 0) == since)
		WRITE_ONCE(shm.on_trial, 0);
}

/* Ends the agent's pass. The CPU time that it @took, not the time for which it may have been
 * stopped, sets its rest. */
static void agent_done(struct domain *dom, u64 took, u64 now, u64 passes)
{
	struct agent_state *agent = &dom->agent;
	u32 nr_online = READ_ONCE(dom->nr_online) ?: 1;

	agent->passes = passes;
	if (agent->failover_at) {
		/* Another CPU may have looked at the clock later, and found it late before this. */
		if (before(agent->failover_at, now))
			count(CPPLAND_FAILOVER_NS, now - agent->failover_at);
		agent->failover_at = 0;
	}
	agent->rest_until = now;
	if (!ask_always)
		agent->rest_until += (took < late_ns ? took : late_ns) * AGENT_REST / nr_online;
	agent->asked_at = 0;
	agent->answered = 1;
	__sync_lock_test_and_set(&agent->called, 0);
	if (READ_ONCE(on_trial_since))
		look_at_trial();
}

/* An agent that sleeps when it is done is not queued, so its pass is not seen to end. */
static void look_after_sleeper(u32 d, u64 now)
{
	struct domain *dom = domain_at(d);
	u64 passes = READ_ONCE(channel_at(d)->agent.passes);

	if (agent_sleeps && passes != dom->agent.passes)
		agent_done(dom, 0, now, passes);
}

/* @p is the agent of domain @d. */
static void enqueue_agent(u32 d, struct task_struct *p, struct task_ctx *tctx, u64 enq_flags)
{
	struct domain *dom = domain_at(d);
	struct agent_state *agent = &dom->agent;
	u64 passes = READ_ONCE(channel_at(d)->agent.passes);
	u64 now = bpf_ktime_get_ns();
	bool woke = enq_flags & CORE_ENUM(scx_enq_flags, SCX_ENQ_WAKEUP);
	bool done = passes != agent->passes;
	bool late = !done && !woke && agent_is_late(dom, now);

	agent->cpu = scx_bpf_task_cpu(p);
	if (done || agent_sleeps) {
		u64 took = p->se.sum_exec_runtime - tctx->told_ns;

		tctx->told_ns = p->se.sum_exec_runtime;
		count(CPPLAND_AGENT_NS, took);
		if (done)
			agent_done(dom, took, now, passes);
	}
	if (late) {
		/* It does not come to an end: from now on it competes like everybody else. */
		charge(p, tctx);
		tctx->since = now;
		scx_bpf_dsq_insert_vtime(p, dsq_of(domain_of_task(p), HELD), slice_ns, tctx->vtime,
					 enq_flags);
	} else {
		/* Preempted or blocked in the middle of a pass, or called. */
		if (agent->asked_at || agent_sleeps)
			agent->wanted = 1;
		scx_bpf_dsq_insert(p, dsq_of(d, AGENT), late_ns / 4, enq_flags);
	}
	if (woke || late)
		wake_idle_for(p);
}

#endif /* CPPLAND_BPF_AGENT_H */
