// SPDX-License-Identifier: GPL-2.0-only
/*
 * dispatcher.bpf.c - the dispatcher: it holds every task and knows no policy.
 *
 * A task that cannot run at once waits in HELD. When a CPU needs a task and there is a choice to
 * make, that CPU tells the agent what waits (HELD moves to ASKED), runs the agent, carries out its
 * decisions (ASKED moves to SHARED or to a CPU's own queue) and takes the first. When there is no
 * choice, or the agent is busy, resting, late or gone, the CPU takes the head of HELD itself:
 * nobody ever waits for user space that a CPU could serve.
 *
 * Functions that walk a queue are not static: the verifier then looks at each once, and not again
 * for every way that leads there, which takes seconds.
 *
 * CPUs that share a cache are a domain, with queues and an agent of its own. What waits in one is
 * also for the CPUs of others, if they would be idle, or if it is behind theirs (balance.bpf.h).
 *
 * Weaknesses: a task that may use few CPUs is found by walking over those before it.
 */
#include "kernel.h"
#include "state.bpf.h"

#include "idle.bpf.h"
#include "preempt.bpf.h"
#include "agent.bpf.h"
#include "rescue.bpf.h"
#include "balance.bpf.h"
#include "heartbeat.bpf.h"
#include "handoff.bpf.h"

char _license[] SEC("license") = "GPL";

/* Read by the agents' process after the kernel has let go. */
struct cppland_exit_record exit_record SEC(".bss.exit");

/* The kernel's debug dump; the loader makes it `exit_dump_len` long. */
char exit_dump[1] SEC(".data.exit_dump");

/* --- placing without the agent --- */

static void run_here(struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, CORE_ENUM(scx_dsq_id_flags, SCX_DSQ_LOCAL), slice_ns, enq_flags);
	count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
}

/* Straight to the CPU that it is on, which nobody else shall take for idle. */
static void run_where_it_is(struct task_struct *p, u64 enq_flags)
{
	scx_bpf_test_and_clear_cpu_idle(scx_bpf_task_cpu(p));
	run_here(p, enq_flags);
}

/* --- the callbacks, in the order of a task's life --- */

s32 STRUCT_OP(cppland_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *tctx =
		bpf_task_storage_get(&task_ctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!tctx)
		return -ENOMEM;
	tctx->generation = __sync_fetch_and_add(&incarnations, 1) << 32;
	tctx->vtime = domain_at(domain_of_task(p))->vtime_now;
	tctx->charged_ns = tctx->told_ns = tctx->woke_ns = p->se.sum_exec_runtime;
	tctx->credit_until = tctx->credit_low = tctx->charged_ns;
	tctx->woke_at = bpf_ktime_get_ns(); /* to be born is not to have paused */
	return 0;
}

/* Whether @p must never wait for user space. Per-CPU threads of the kernel, reclaim and compaction:
 * the agent itself may wait for them. Our own helper threads: the agent's answers must not depend
 * on its own decisions. */
static bool is_exempt(struct task_struct *p)
{
	if (p->flags & PF_KTHREAD) {
		static const char khugepaged[] = "khugepaged";

		return p->nr_cpus_allowed == 1 || p->flags & (PF_KSWAPD | PF_KCOMPACTD) ||
		       !__builtin_memcmp(p->comm, khugepaged, sizeof(khugepaged));
	}
	return p->tgid == agent_tgid && !is_agent(p);
}

s32 STRUCT_OP(cppland_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_ctx *tctx;
	s32 cpu;

	if (is_agent(p))
		return prev_cpu;
	tctx = task_ctx_of(p);
	if (!tctx) {
		cpu = pick_idle_for_wakeup(p, prev_cpu, wake_flags);
		return cpu >= 0 ? cpu : prev_cpu;
	}
	wake(p, tctx);
	if (hand_over(p, tctx, wake_flags)) {
		run_here(p, 0);
		return bpf_get_smp_processor_id();
	}
	cpu = pick_idle_for_wakeup(p, prev_cpu, wake_flags);
	if (cpu >= 0) {
		/* Should it have taken another one meanwhile, that one can go elsewhere. */
		if (nothing_waits_for(cpu) && take_cpu(cpu, p, tctx->woke_at))
			run_here(p, CORE_ENUM(scx_enq_flags, SCX_ENQ_PREEMPT));
		return cpu;
	}
	if (nr_domains > 1 && wake_flags & CORE_ENUM(scx_wake_flags, SCX_WAKE_FORK))
		return place_new(p, prev_cpu);
	cpu = preempting_cpu(p, tctx);
	if (cpu < 0)
		return prev_cpu;
	preempt(p, cpu, 0);
	return cpu;
}

/* @p begins to wait. select_cpu has dealt with a wake-up that came by it already. */
static void begin_wait(struct task_struct *p, struct task_ctx *tctx, bool woke, bool selected)
{
	bool ran = p->se.sum_exec_runtime != tctx->waits_ns;

	tctx->waits_ns = p->se.sum_exec_runtime;
	if (woke && !selected)
		wake(p, tctx);
	else
		charge(p, tctx);
	tctx->rescued = 0;
	/* One that waits and is queued anew, since its nice value or affinity has changed, has
	 * waited all the while. */
	if (woke)
		tctx->since = tctx->woke_at;
	else if (ran || !tctx->since)
		tctx->since = bpf_ktime_get_ns();
	tctx->generation++;
}

/* So much of a slice is worth a turn of its own. */
#define RESUME_MIN (NSEC_PER_MSEC / 10)

/*
 * Whether @p goes on with the slice that was decided for it when who has preempted it is done. Were
 * it to lose its place, others would run for as long as it has, whatever their weights are. One
 * that sleeps every now and then loses it all the same: how much it gets is not up to its weight,
 * and tasks that wake each other in turns take longer if each goes on after every wake-up
 * (hackbench a tenth).
 */
static bool resumes(struct task_struct *p, const struct task_ctx *tctx)
{
	u64 used = p->se.sum_exec_runtime;

	return tctx->decided && tctx->key_reign == READ_ONCE(reign) &&
	       before(used + RESUME_MIN, tctx->run_until) &&
	       used - tctx->woke_ns >= sleeper_credit_ns &&
	       (tctx->run_on < 0 || is_usable(p, tctx->run_on));
}

/*
 * Puts @p where it waits for a CPU. The kernel does that when ops.enqueue() has come to its end: a
 * CPU that becomes idle meanwhile sees by the time that it must look once more.
 */
static void hold(struct task_struct *p, struct task_ctx *tctx, bool woke, u64 enq_flags)
{
	struct cpu_state *state = cpu_state_of(bpf_get_smp_processor_id());
	u32 d = domain_of_task(p);
	bool resumed = resumes(p, tctx);
	u64 now = bpf_ktime_get_ns();

	__sync_lock_test_and_set(&domain_at(d)->held_at, now);
	tctx->decided = 0;
	if (percpu_local && p->nr_cpus_allowed == 1) {
		uses_own_queue(scx_bpf_task_cpu(p));
		scx_bpf_dsq_insert_vtime(p, scx_bpf_task_cpu(p), slice_ns, tctx->vtime, enq_flags);
		count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
	} else if (!woke && state && state->calls_agent && ask(d, p, tctx, now)) {
		/* It makes way for the agent, and is one of those that the agent chooses from. */
		scx_bpf_dsq_insert(p, dsq_of(d, ASKED), slice_ns, enq_flags);
	} else if (resumed) {
		/* Somebody has preempted it. It goes on for the time that was decided, in its place
		 * and before who has the same: in HELD it would come after all that are decided. */
		u64 dsq = tctx->run_on < 0 ? dsq_of(d, SHARED) : (u64)tctx->run_on;
		u64 left = tctx->run_until - p->se.sum_exec_runtime;

		tctx->decided = 1;
		scx_bpf_dsq_insert_vtime(p, dsq, left, tctx->key - 1, enq_flags);
	} else if (woke && is_urgent(tctx)) {
		scx_bpf_dsq_insert_vtime(p, dsq_of(d, URGENT), slice_ns,
					 urgency(tctx, domain_at(d)->vtime_now), enq_flags);
		count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
	} else {
		scx_bpf_dsq_insert_vtime(p, dsq_of(d, HELD), slice_ns, tctx->vtime, enq_flags);
		trace("held %d vtime %llu", p->pid, tctx->vtime);
	}
}

void STRUCT_OP(cppland_enqueue, struct task_struct *p, u64 enq_flags)
{
	bool woke = enq_flags & CORE_ENUM(scx_enq_flags, SCX_ENQ_WAKEUP);
	bool selected = enq_flags & CORE_ENUM(scx_enq_flags, SCX_ENQ_CPU_SELECTED);
	struct task_ctx *tctx = task_ctx_of(p);
	s32 agent = agent_domain(p);
	s32 cpu;

	if (!tctx || is_exempt(p)) {
		run_where_it_is(p, enq_flags);
		return;
	}
	if (agent >= 0) {
		enqueue_agent(agent, p, tctx, enq_flags);
		return;
	}
	begin_wait(p, tctx, woke, selected);
	if (woke && !selected) {
		/* select_cpu was not asked, because only one CPU will do. */
		cpu = scx_bpf_task_cpu(p);
		if (nothing_waits_for(cpu) && scx_bpf_test_and_clear_cpu_idle(cpu)) {
			run_here(p, enq_flags);
			return;
		}
		if (p->nr_cpus_allowed == 1 && preempting_cpu(p, tctx) == cpu) {
			preempt(p, cpu, enq_flags);
			return;
		}
		/* Were it free to go elsewhere, no CPU that becomes idle before would find it in
		 * this one's local queue. */
		if (p->nr_cpus_allowed == 1 && is_next(cpu) && !shuns_handoff(tctx)) {
			tctx->comes_next = 1;
			run_here(p, enq_flags);
			return;
		}
	}
	if (woke && tctx->flags & TASK_HAS_CREDIT)
		tell_if_credit_is_low(p, tctx);
	hold(p, tctx, woke, enq_flags);
	/* One that has become idle meanwhile, or, after a slice, that may do better than this one.
	 */
	if (!tctx->decided || tctx->run_on < 0)
		wake_idle_for(p);
	else if (!is_deaf())
		wake_idle(tctx->run_on, domain_of(tctx->run_on));
}

/* @p goes on on this CPU, without a decision. */
static void replenish(struct task_struct *p, struct cpu_state *state)
{
	struct task_ctx *tctx;

	/* Callers have looked already, which the verifier does not remember. */
	barrier_var(p);
	if (!p)
		return;
	if (state && !state->has_credit)
		state->has_key = 0;
	tctx = task_ctx_of(p);
	if (tctx)
		tctx->decided = 0;
	if (bpf_ksym_exists(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice_ns);
	else
		p->scx.slice = slice_ns;
}

/* Whether @prev, whose slice has ended, is further behind its share than whoever is first in @dsq.
 */
static bool is_first_again(struct task_struct *prev, u64 dsq)
{
	struct task_ctx *tctx;
	struct task_struct *p;
	bool first = true;

	barrier_var(prev); /* as in replenish() */
	if (!prev)
		return false;
	tctx = task_ctx_of(prev);
	if (!tctx)
		return false;
	charge(prev, tctx);
	bpf_for_each (scx_dsq, p, dsq, 0) {
		struct task_ctx *other = task_ctx_of(p);

		first = other && before(tctx->vtime, other->vtime);
		break;
	}
	return first;
}

/*
 * Whether @prev, whose slice has ended, goes on while the agent puts others in order. If few wait
 * it does: were one of them taken now, the task that has made way for the agent would be the only
 * one left to decide for, and never wait.
 */
static bool stays_while_agent_decides(u32 d, struct task_struct *prev, u64 now)
{
	const struct domain *dom = domain_at(d);
	s32 asked = scx_bpf_dsq_nr_queued(dsq_of(d, ASKED));

	if (!asked || !dom->agent.asked_at || agent_is_late(dom, now))
		return false;
	return asked <= (s32)READ_ONCE(dom->nr_online) || is_first_again(prev, dsq_of(d, ASKED));
}

/* What is for @cpu alone and what is for any take turns to be first. */
static bool take_decided(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);
	u64 shared = dsq_of(domain_of(cpu), SHARED);

	if (!state)
		return false;
	if (!state->has_own)
		return scx_bpf_dsq_move_to_local(shared);
	state->own_first = !state->own_first;
	if (state->own_first)
		return scx_bpf_dsq_move_to_local(cpu) || scx_bpf_dsq_move_to_local(shared);
	return scx_bpf_dsq_move_to_local(shared) || scx_bpf_dsq_move_to_local(cpu);
}

/* @cpu has found nothing. */
static void becomes_idle(s32 cpu, const struct task_struct *prev)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (state)
		state->runs = RUNS_NOTHING;
	/* It was woken, and the kernel does not say when it has it as idle again: it looks once
	 * more. */
	if (!prev && !is_going(cpu) && !is_marked_idle(cpu))
		scx_bpf_kick_cpu(cpu, 0);
}

/* Whoever was put into a queue after @cpu had looked, and before the kernel had it as idle, found
 * no idle CPU to wake. Now it has. */
void STRUCT_OP(cppland_update_idle, s32 cpu, bool idle)
{
	if (!idle || is_going(cpu))
		return;
	if (nr_own(cpu) || anybody_waits() || anybody_is_coming(bpf_ktime_get_ns()))
		scx_bpf_kick_cpu(cpu, 0);
}

void STRUCT_OP(cppland_dispatch, s32 cpu, struct task_struct *prev)
{
	struct cpu_state *state = cpu_state_of(cpu);
	bool prev_ready = prev && prev->scx.flags & CORE_ENUM(scx_ent_flags, SCX_TASK_QUEUED) &&
			  !is_agent(prev);
	u32 d = domain_of(cpu);
	struct domain *dom = domain_at(d);
	s32 held = 0, decided = 0;
	bool agent_first, may_ask;
	u64 now;

	drain_decisions(d);
	now = bpf_ktime_get_ns();
	look_after_sleeper(d, now);
	if (READ_ONCE(dom->succeeded))
		look_after_succession(d, now);
	recall_what_is_late(d, now);
	rescue(cpu, d, now);
	agent_first = dom->agent.overdue && scx_bpf_dsq_nr_queued(dsq_of(d, AGENT));
	if (!agent_first && scx_bpf_dsq_nr_queued(dsq_of(d, URGENT)) &&
	    scx_bpf_dsq_move_to_local(dsq_of(d, URGENT)))
		return;
	if (nr_domains > 1 && serve_others(d, prev_ready ? prev : NULL, now))
		return;
	/* To count a queue costs a search for it: only if there is something to choose. */
	may_ask = !agent_rests(&dom->agent, now);
	if (may_ask || prev_ready) {
		held = scx_bpf_dsq_nr_queued(dsq_of(d, HELD));
		decided = scx_bpf_dsq_nr_queued(dsq_of(d, SHARED)) + nr_own(cpu);
	}
	if (may_ask && run_agent(cpu, now, held, decided, prev_ready))
		return;
	/* The agent has not put @prev in order with the others: the dispatcher does. */
	if (prev_ready && decided && is_first_again(prev, dsq_of(d, SHARED)) &&
	    is_first_again(prev, cpu))
		goto goes_on;
	if ((decided || !prev_ready) && take_decided(cpu))
		return;
	if (prev_ready && (held ? is_first_again(prev, dsq_of(d, HELD))
				: stays_while_agent_decides(d, prev, now)))
		goto goes_on;
	if (scx_bpf_dsq_move_to_local(dsq_of(d, HELD)) ||
	    scx_bpf_dsq_move_to_local(dsq_of(d, ASKED))) {
		count(CPPLAND_NR_KERNEL_DISPATCHES, 1);
		return;
	}
	if (!prev_ready) {
		if (nr_domains > 1 && help_others(d))
			return;
		becomes_idle(cpu, prev);
		return;
	}
goes_on:
	replenish(prev, state);
}

void STRUCT_OP(cppland_running, struct task_struct *p)
{
	struct cpu_state *state = cpu_state_of(scx_bpf_task_cpu(p));
	struct task_ctx *tctx = task_ctx_of(p);
	u32 d = domain_of_task(p);
	struct domain *dom = domain_at(d);
	s32 agent = agent_domain(p);
	u64 now = bpf_ktime_get_ns();

	if (!state || !tctx)
		return;
	if (state->runs == RUNS_NOTHING)
		wake_for_others(scx_bpf_task_cpu(p));
	state->tid = p->pid;
	state->key = tctx->key;
	state->vtime = tctx->vtime;
	state->has_credit = before(p->se.sum_exec_runtime, tctx->credit_until);
	/* The key of an earlier run would be smaller the longer ago that was. */
	state->has_key = tctx->key_reign == READ_ONCE(reign) &&
			 (tctx->decided || (state->has_credit && tctx->has_key));
	/* A hog, too, has woken up once. */
	state->is_rare =
		tctx->flags & TASK_RARE && p->se.sum_exec_runtime - tctx->woke_ns < rich_ns;
	if (state->taker == p->pid) {
		if (state->handed_at)
			learn_from_handoff(tctx, now, HANDOFF_GOOD);
		state->handed_at = 0;
		state->taken_at = 0;
	}
	if (tctx->comes_next) {
		/* Who runs there may be about to sleep, or a CPU hog. */
		learn_from_handoff(tctx, now, HANDOFF_MAX);
		tctx->comes_next = 0;
	}
	state->began_at = now;
	state->calls_agent = 0;
	if (agent >= 0) {
		dom = domain_at(agent);
		state->runs = dom->agent.failover_at ? RUNS_TASK : RUNS_AGENT;
		dom->agent.ran_at = now;
		return;
	}
	state->runs = is_exempt(p) ? RUNS_EXEMPT : RUNS_TASK;
	if (!tctx->rescued)
		advance_clock(dom, tctx->vtime);
}

void STRUCT_OP(cppland_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	struct task_ctx *tctx = task_ctx_of(p);

	if (!tctx)
		return;
	__sync_lock_test_and_set(&tctx->exited, 1); /* pairs with tell() */
	if (tctx->flags & TASK_ANNOUNCED)
		send_event(tctx->told_in, CPPLAND_EVENT_GONE, p, tctx);
}

/* A CPU is taken by a higher class: what waits in its local queue may run elsewhere. */
void STRUCT_OP(cppland_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	if (bpf_ksym_exists(scx_bpf_reenqueue_local))
		scx_bpf_reenqueue_local();
}

void STRUCT_OP(cppland_cpu_online, s32 cpu)
{
	cpu_comes(cpu);
}

void STRUCT_OP(cppland_cpu_offline, s32 cpu)
{
	cpu_goes(cpu);
	start_heartbeat(LEAVING_EVERY);
}

/* --- the dispatcher's own life --- */

int note_big_cpus(void)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	u32 cpu;

	if (!mask)
		return -ENOMEM;
	bpf_for (cpu, 0, nr_cpu_ids)
		if (cpu < CPPLAND_MAX_CPUS && cpu_is_big[cpu])
			bpf_cpumask_set_cpu(cpu, mask);
	mask = bpf_kptr_xchg(&big_cpus, mask);
	if (mask)
		bpf_cpumask_release(mask);
	return 0;
}

static void say_attached(u32 attached)
{
	u32 c;

	bpf_for (c, 0, 2 * (domain_mask + 1))
		channels[c & (2 * domain_mask + 1)].dispatcher.attached = attached;
	shm.agent_tgid = agent_tgid;
}

s32 STRUCT_OP_SLEEPABLE(cppland_init)
{
	s32 err;
	u32 cpu, i;

	bpf_for (cpu, 0, nr_cpu_ids) {
		err = scx_bpf_create_dsq(cpu, -1);
		if (err)
			return err;
	}
	bpf_for (i, 0, nr_domains * NR_DSQ_KINDS) {
		err = scx_bpf_create_dsq(dsq_of(0, 0) + i, -1);
		if (err)
			return err;
	}
	err = hybrid ? note_big_cpus() : 0;
	if (!err)
		err = count_online() ?: init_nudges() ?: init_handoffs();
	if (!err)
		err = init_heartbeat();
	if (!err)
		say_attached(1);
	return err;
}

/* For the kernel's debug dump. */
void STRUCT_OP(cppland_dump, struct scx_dump_ctx *dump)
{
	static STATE char fmt[] =
		"domain %lld: held %lld asked %lld decided %lld agent asked_at %llu passes %llu decisions %llu of %llu\n";
	u32 d;

	bpf_for (d, 0, nr_domains) {
		const struct agent_state *agent = &domain_at(d)->agent;
		unsigned long long data[] = {
			d,
			scx_bpf_dsq_nr_queued(dsq_of(d, HELD)),
			scx_bpf_dsq_nr_queued(dsq_of(d, ASKED)),
			scx_bpf_dsq_nr_queued(dsq_of(d, SHARED)),
			agent->asked_at,
			agent->passes,
			channel_at(d)->dispatcher.decision_tail,
			channel_at(d)->agent.decision_head,
		};

		scx_bpf_dump_bstr(fmt, data, sizeof(data));
	}
}

void STRUCT_OP(cppland_exit, struct scx_exit_info *info)
{
	u32 len = exit_dump_len;

	bpf_probe_read_kernel_str(exit_record.reason, sizeof(exit_record.reason), info->reason);
	bpf_probe_read_kernel_str(exit_record.msg, sizeof(exit_record.msg), info->msg);
	if (len)
		bpf_probe_read_kernel_str(exit_dump, len, info->dump);
	exit_record.exit_code = info->exit_code;
	say_attached(0);
	/* Last, with a full barrier: whoever sees the kind sees the rest. */
	__sync_val_compare_and_swap(&exit_record.kind, 0, info->kind);
}

SEC(".struct_ops.link")
struct sched_ext_ops cppland_ops = {
	.select_cpu = (void *)cppland_select_cpu,
	.enqueue = (void *)cppland_enqueue,
	.dispatch = (void *)cppland_dispatch,
	.running = (void *)cppland_running,
	.init_task = (void *)cppland_init_task,
	.exit_task = (void *)cppland_exit_task,
	.update_idle = (void *)cppland_update_idle,
	.cpu_release = (void *)cppland_cpu_release,
	.cpu_online = (void *)cppland_cpu_online,
	.cpu_offline = (void *)cppland_cpu_offline,
	.dump = (void *)cppland_dump,
	.init = (void *)cppland_init,
	.exit = (void *)cppland_exit,
	.timeout_ms = 5000,
	.name = "cppland",
};
