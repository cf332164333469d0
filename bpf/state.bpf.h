/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.bpf.h - the dispatcher's tunables, queues and memory: of the machine, of each CPU, of each
 * task.
 */
#ifndef CPPLAND_BPF_STATE_H
#define CPPLAND_BPF_STATE_H

#include "kernel.h"
#include "../abi/cppland_abi.h"
#include "state_types.h"

/*
 * The dispatch queues (DSQ). A CPU's own queue has the CPU's number. The others are there for each
 * domain; a task waits in those of the CPU that it is on.
 *
 *   HELD    waits, not yet told to the agent; in order of the dispatcher's own weighted vtime
 *   ASKED   waits, the agent has been told; in order of telling
 *   SHARED  decided, for any CPU; in order of the policy's keys. The CPUs' own queues likewise
 *   URGENT  woke up and may go first, but there was nobody to preempt; in order of urgency
 *   AGENT   the agent itself, when it has nothing to do
 */
enum dsq_kind {
	SHARED = 0,
	HELD,
	ASKED,
	URGENT,
	AGENT,
	NR_DSQ_KINDS
};

#define NSEC_PER_USEC  1000ULL
#define NSEC_PER_MSEC  1000000ULL
#define WEIGHT_DEFAULT 100ULL
#define ON_ITS_WAY     (NSEC_PER_MSEC / 5)

/* Tunables, set by the loader. Times in ns. */
TUNABLE u32 nr_cpu_ids = 1;
TUNABLE u32 nr_cpus = 1; /* that there can be: less than nr_cpu_ids where numbers are left out */
TUNABLE u32 nr_domains = 1;
TUNABLE u32 domain_mask; /* the least power of two that is not less, minus 1 */
TUNABLE u8 domain_of_cpu[CPPLAND_MAX_CPUS];
TUNABLE u16 cpu_by_domain[CPPLAND_MAX_CPUS];	   /* all CPUs, those of a domain together */
TUNABLE u16 domain_begin[CPPLAND_MAX_DOMAINS + 1]; /* ... where they begin there */
TUNABLE u64 slice_max_ns = 100 * NSEC_PER_MSEC;	   /* no decision is for longer */
TUNABLE u64 protect_ns =
	NSEC_PER_MSEC / 2;		 /* for which one with credit is not preempted by another */
TUNABLE u64 rare_ns = 4 * NSEC_PER_MSEC; /* between wake-ups that are rare */
TUNABLE u64 rich_ns = 5 * NSEC_PER_MSEC; /* of credit, for a task to be urgent */
TUNABLE u64 heartbeat_ns = 1000 * NSEC_PER_MSEC;
TUNABLE u64 trial_ns = 1000 * NSEC_PER_MSEC; /* within that the agents of a successor answer */
TUNABLE u8 agent_sleeps; /* when it has nothing to do, in place of being parked */
TUNABLE u8 numa_local;
TUNABLE u8 hybrid; /* there are big and little CPUs */
TUNABLE u8 verbose;
TUNABLE u8 cpu_is_big[CPPLAND_MAX_CPUS];
TUNABLE u32 exit_dump_len = 32768;

/* Who the agents are, and how they are gone about with: set by the loader for the first, and by
 * install() for those that take over. */
STATE s32 agent_tid[CPPLAND_MAX_DOMAINS];
STATE s32 agent_tgid;
STATE u64 slice_ns = 1 * NSEC_PER_MSEC; /* for what is placed without the agent */
STATE u64 sleeper_credit_ns = 20 * NSEC_PER_MSEC;
STATE u64 late_ns = 20 * NSEC_PER_MSEC; /* an agent that takes longer is gone on without */
STATE u64 forget_ns =
	500 * NSEC_PER_MSEC; /* a task that a live agent leaves for longer is rescued */
STATE u64 rescue_every_ns = 50 * NSEC_PER_MSEC; /* ... when this is looked after again */
STATE u64 starve_ns = 2000 * NSEC_PER_MSEC;	/* whatever the order is: nobody waits longer */
STATE u8 ask_always;				/* agents take no rests */
STATE u8 percpu_local;

#define trace(fmt, args...)                                  \
	({                                                   \
		if (verbose)                                 \
			bpf_printk("cppland: " fmt, ##args); \
	})

/* Memory shared with the agents. The loader makes room for twice as many channels as domain_mask
 * says. */
struct cppland_shm shm SEC(".bss.shm");
CHANNELS struct cppland_channel channels[NR_CHANNELS];

STATE struct cpu_state cpus[CPPLAND_MAX_CPUS];
STATE struct domain domains[CPPLAND_MAX_DOMAINS];

STATE u32 reign;	  /* of the agents that decide: see succession.bpf.h */
STATE u64 on_trial_since; /* they took over then and have not all answered; 0: not so; atomic */

STATE u64 incarnations; /* tasks seen so far */
STATE u32 nr_online;	/* CPUs; atomic */
STATE u32 nr_deserted;	/* domains without a CPU; atomic */

/* 0, which the verifier does not know: a loop that counts from it is one state for the verifier,
 * and not one for each number. */
STATE u32 nothing;

struct nudge {
	struct bpf_timer timer;
	u32 armed;
};

enum task_flags {
	TASK_ANNOUNCED = 1U << 0,  /* the agent knows of it */
	TASK_WOKE = 1U << 1,	   /* since the last event */
	TASK_CREDIT_LOW = 1U << 2, /* the agent has been told that its credit runs out */
	TASK_RARE = 1U << 3,	   /* its last wake-ups are far apart */
	TASK_HAS_CREDIT = 1U << 4, /* its last wake-up may go ahead of others */
	TASK_BEHIND = 1U << 5,	   /* in its place while the agent is late: far behind its share */
};

struct task_ctx {
	u64 generation;	  /* of its current wait */
	u64 vtime;	  /* CPU time / weight, never far behind vtime_now */
	u64 key;	  /* of its last decision */
	u64 charged_ns;	  /* its CPU time when last added to vtime */
	u64 told_ns;	  /* ... when last told to the agent */
	u64 waits_ns;	  /* ... when it last began to wait */
	u64 woke_ns;	  /* ... when it last woke */
	u64 credit_until; /* ... up to which its wake-ups preempt */
	u64 credit_low;	  /* ... from which on the agent hears of it */
	u64 preempt_ns;	  /* taken off that credit, and not yet told to the agent */
	u64 since;	  /* when its current wait began */
	u64 woke_at;
	u64 asked_at;  /* when the agent was told of its current wait */
	u64 run_until; /* its CPU time when the slice that was decided is used up */
	s32 run_on;    /* that decision's CPU, or -1 */
	u32 exited;    /* atomic */
	u32 flags;     /* enum task_flags */
	u32 key_reign; /* in which `key` was given */
	/* Also written by who holds no lock on it, and so no bits of `flags`. */
	u16 handoff_skip;   /* so many of its wake-ups are not handed a CPU */
	u8 handoffs_missed; /* the last ones, in which it had to wait for it */
	u8 has_key;	    /* `key` is of some decision */
	u8 decided;	    /* ... of one for its current run, or the one to come */
	u8 rescued;	    /* that run comes before its turn by vtime */
	u8 comes_next;	    /* it waits for who runs on its CPU, without having been told of */
	u8 told_in;	    /* the domain whose agent knows of it, if TASK_ANNOUNCED */
};

/* Per-task state. Producer and consumer: the dispatcher alone. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctxs SEC(".maps");

static __always_inline struct task_ctx *task_ctx_of(struct task_struct *p)
{
	return bpf_task_storage_get(&task_ctxs, p, 0, 0);
}

static __always_inline struct cpu_state *cpu_state_of(s32 cpu)
{
	u32 i = cpu;

	if (i >= CPPLAND_MAX_CPUS)
		return NULL;
	/* Says again what the comparison says, where the verifier sees it and the compiler does not
	 * leave it out. */
	barrier_var(i);
	return &cpus[i & (CPPLAND_MAX_CPUS - 1)];
}

static __always_inline struct domain *domain_at(u32 d)
{
	return &domains[d & (CPPLAND_MAX_DOMAINS - 1)];
}

static __always_inline struct cppland_channel *channel_at(u32 d)
{
	return &channels[(READ_ONCE(reign) & 1) * (domain_mask + 1) + (d & domain_mask)];
}

static __always_inline u64 dsq_of(u32 d, enum dsq_kind kind)
{
	return CPPLAND_MAX_CPUS + d * NR_DSQ_KINDS + kind;
}

static __always_inline u32 domain_of(s32 cpu)
{
	return (u32)cpu < CPPLAND_MAX_CPUS ? domain_of_cpu[cpu] : 0;
}

static __always_inline u32 domain_of_task(const struct task_struct *p)
{
	return domain_of(scx_bpf_task_cpu(p));
}

/* The domain whose agent @p is, or -1. */
int find_agent_domain(s32 tid)
{
	u32 d;

	bpf_for (d, 0, nr_domains)
		if (d < CPPLAND_MAX_DOMAINS && agent_tid[d] == tid)
			return d;
	return -1;
}

static __always_inline s32 agent_domain(const struct task_struct *p)
{
	if (p->tgid != agent_tgid)
		return -1;
	return nr_domains == 1 ? (p->pid == agent_tid[0] ? 0 : -1) : find_agent_domain(p->pid);
}

static __always_inline bool is_agent(const struct task_struct *p)
{
	return agent_domain(p) >= 0;
}

static __always_inline bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* Whether who was given the CPU at @taken_at is still on its way there. */
static __always_inline bool is_taken(u64 taken_at, u64 now)
{
	return taken_at && before(now, taken_at + ON_ITS_WAY);
}

/*
 * Whether @cpu is now for @p, which is on its way to its local queue, where no other CPU sees it.
 * Were it given to two at once, the first would wait there for the second, though others may be
 * idle. On its way it is for microseconds, with interrupts disabled.
 */
static bool take_cpu(s32 cpu, const struct task_struct *p, u64 now)
{
	struct cpu_state *state = cpu_state_of(cpu);
	u64 taken_at;

	if (!state)
		return false;
	taken_at = state->taken_at;
	if (is_taken(taken_at, now))
		return false;
	if (__sync_val_compare_and_swap(&state->taken_at, taken_at, now) != taken_at)
		return false;
	state->taker = p->pid;
	state->handed_at = 0;
	return true;
}

/* A CPU that goes offline is idle for the kernel once more before it is gone. */
static bool is_going(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	return state && state->offline != CPU_IS_ONLINE;
}

/* Something is about to be put into the own queue of @cpu. */
static void uses_own_queue(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	if (state)
		state->has_own = 1;
}

/* How much waits in the own queue of @cpu. */
static s32 nr_own(s32 cpu)
{
	struct cpu_state *state = cpu_state_of(cpu);

	return state && state->has_own ? scx_bpf_dsq_nr_queued(cpu) : 0;
}

static bool is_online(s32 cpu)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	bool yes = bpf_cpumask_test_cpu(cpu, online);

	scx_bpf_put_cpumask(online);
	return yes;
}

/*
 * Whether this CPU is offline already. It still wakes who waits for that, but its own interrupt, by
 * which the kernel kicks other CPUs, comes no more. A kick that is begun here is left over, and the
 * kernel waits for it for ever when it shall let go of the scheduler: free_kick_syncs() in
 * kernel/sched/ext.c, seen on Linux 7.3.4. Timers are not started here either: with them it was
 * still seen.
 */
static bool is_deaf(void)
{
	s32 cpu = bpf_get_smp_processor_id();

	return is_going(cpu) && !is_online(cpu);
}

static __always_inline u64 local_on(s32 cpu)
{
	return CORE_ENUM(scx_dsq_id_flags, SCX_DSQ_LOCAL_ON) | (u32)cpu;
}

static __always_inline void count(enum cppland_counter which, u64 by)
{
	u32 cpu = bpf_get_smp_processor_id();

	if (cpu < CPPLAND_MAX_CPUS)
		shm.cpu[cpu].counter[which] += by;
}

/* What so much CPU time is in @p's vtime. */
static u64 weighted(u64 ns, const struct task_struct *p)
{
	return ns * WEIGHT_DEFAULT / (p->scx.weight ?: WEIGHT_DEFAULT);
}

/*
 * Charges @p for the CPU time that it used since the last charge. One who slept comes back at most
 * `sleeper_credit_ns` behind the others, so that nobody saves up time to take it all at once.
 */
static void charge(struct task_struct *p, struct task_ctx *tctx)
{
	u64 total = p->se.sum_exec_runtime;
	u64 floor = domain_at(domain_of_task(p))->vtime_now - sleeper_credit_ns;

	tctx->vtime += weighted(total - tctx->charged_ns, p);
	tctx->charged_ns = total;
	if (before(tctx->vtime, floor))
		tctx->vtime = floor;
}

static void advance_clock(struct domain *dom, u64 vtime)
{
	if (before(dom->vtime_now, vtime))
		dom->vtime_now = vtime;
}

/* The agent was asked and has not answered within the bound: nobody waits for it any more. */
static __always_inline bool agent_is_late(const struct domain *dom, u64 now)
{
	u64 asked_at = dom->agent.asked_at;

	/* Another CPU may have asked since @now. */
	return asked_at && before(asked_at + late_ns, now);
}

/* @p wakes up: what is true of this wake-up, until the next. */
static void wake(struct task_struct *p, struct task_ctx *tctx)
{
	const struct domain *dom = domain_at(domain_of_task(p));
	u64 now = bpf_ktime_get_ns();

	charge(p, tctx);
	tctx->flags &= ~(TASK_RARE | TASK_HAS_CREDIT | TASK_BEHIND);
	tctx->flags |= TASK_WOKE;
	tctx->decided = tctx->rescued = 0;
	if (!before(now, tctx->woke_at + rare_ns))
		tctx->flags |= TASK_RARE;
	if (before(tctx->charged_ns, tctx->credit_until))
		tctx->flags |= TASK_HAS_CREDIT;
	else if (agent_is_late(dom, now) && before(tctx->vtime + rich_ns, dom->vtime_now))
		tctx->flags |= TASK_BEHIND;
	tctx->woke_at = now;
	tctx->woke_ns = tctx->charged_ns;
}

#endif /* CPPLAND_BPF_STATE_H */
