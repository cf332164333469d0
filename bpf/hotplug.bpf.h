/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hotplug.bpf.h - CPUs that come and go while tasks wait.
 *
 * Since the dispatcher has callbacks for it, the kernel does not end the scheduler when a CPU comes
 * or goes. In return it leaves to us what other classes do by themselves. A waiting task counts as
 * runnable on the CPU where it last ran, and the kernel does not let a CPU go before nothing is
 * runnable there; it looks only when that CPU itself switches tasks. So until the CPU is gone,
 * whatever waits in its name is put into its local queue again and again: the CPU picks it, and the
 * kernel pushes it elsewhere, breaking its affinity if it must.
 */
#ifndef CPPLAND_BPF_HOTPLUG_H
#define CPPLAND_BPF_HOTPLUG_H

#include "state.bpf.h"

#define LEAVING_EVERY (2 * NSEC_PER_MSEC)
#define LEAVING_WALK  512

STATE u32 nr_leaving; /* CPUs; atomic */

static bool end_leaving(struct cpu_state *state, u32 then)
{
	if (__sync_val_compare_and_swap(&state->offline, CPU_LEAVES, then) != CPU_LEAVES)
		return false;
	__sync_fetch_and_sub(&nr_leaving, 1);
	return true;
}

static void cpu_comes(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (!state || state->offline == CPU_IS_ONLINE)
		return;
	__sync_fetch_and_add(&nr_online, 1);
	if (!__sync_fetch_and_add(&domain_at(domain_of(cpu))->nr_online, 1))
		__sync_fetch_and_sub(&nr_deserted, 1);
	/* Whoever ends the leaving counts it. */
	if (!end_leaving(state, CPU_IS_ONLINE))
		state->offline = CPU_IS_ONLINE;
}

static void cpu_goes(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (!state || state->offline != CPU_IS_ONLINE)
		return;
	__sync_fetch_and_sub(&nr_online, 1);
	if (__sync_fetch_and_sub(&domain_at(domain_of(cpu))->nr_online, 1) == 1)
		__sync_fetch_and_add(&nr_deserted, 1);
	state->offline = CPU_LEAVES;
	state->runs = RUNS_NOTHING;
	__sync_fetch_and_add(&nr_leaving, 1);
}

/* What was decided for @cpu alone may run anywhere. */
static void empty_cpu_queue(s32 cpu)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, cpu, 0) {
		if (n++ >= LEAVING_WALK)
			break;
		scx_bpf_dsq_move_vtime(BPF_FOR_EACH_ITER, p, dsq_of(domain_of_task(p), SHARED), 0);
	}
}

/* Gives @cpu what waits in queue @dsq in its name, to be pushed elsewhere. */
static void hand_back(u64 dsq, s32 cpu)
{
	struct task_struct *p;
	u32 n = READ_ONCE(nothing);

	bpf_for_each (scx_dsq, p, dsq, 0) {
		if (n++ >= LEAVING_WALK)
			break;
		if (scx_bpf_task_cpu(p) == cpu)
			scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, local_on(cpu), 0);
	}
}

/* Likewise what was decided for some other CPU, but ran on @cpu last. */
static void hand_back_decided(s32 cpu)
{
	u32 other;

	bpf_for (other, 0, nr_cpu_ids)
		hand_back(other, cpu);
}

/* What waits in the queues of its domain; and agents, which may have been pushed out of theirs. */
static void hand_back_waiting(s32 cpu)
{
	u32 kind, d;

	bpf_for (kind, 0, NR_DSQ_KINDS)
		hand_back(dsq_of(domain_of(cpu), kind), cpu);
	bpf_for (d, 0, nr_domains)
		hand_back(dsq_of(d, AGENT), cpu);
}

/* When the dispatcher begins; from then on the kernel tells it of each that comes or goes. */
int count_online(void)
{
	u32 cpu, d;

	bpf_for (cpu, 0, nr_cpu_ids) {
		struct cpu_state *state = cpu_state_of(cpu);

		if (!state)
			break;
		if (is_online(cpu)) {
			++nr_online;
			++domain_at(domain_of(cpu))->nr_online;
		} else {
			state->offline = CPU_IS_OFFLINE;
		}
	}
	bpf_for (d, 0, nr_domains)
		nr_deserted += !domain_at(d)->nr_online;
	return 0;
}

/* Helps CPUs that leave; returns whether there were any. From the heartbeat. */
static bool tend_leaving_cpus(void)
{
	u32 cpu;

	if (!nr_leaving)
		return false;
	bpf_for (cpu, 0, nr_cpu_ids) {
		struct cpu_state *state = cpu_state_of(cpu);

		if (!state)
			break;
		if (state->offline != CPU_LEAVES)
			continue;
		/* It is idle for the kernel, too. */
		scx_bpf_test_and_clear_cpu_idle(cpu);
		bpf_rcu_read_lock();
		empty_cpu_queue(cpu);
		if (is_online(cpu)) {
			hand_back_waiting(cpu);
			hand_back_decided(cpu);
			scx_bpf_kick_cpu(cpu, 0);
		} else {
			end_leaving(state, CPU_IS_OFFLINE);
		}
		bpf_rcu_read_unlock();
	}
	return true;
}

#endif /* CPPLAND_BPF_HOTPLUG_H */
