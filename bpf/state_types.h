/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state_types.h - types of the dispatcher's own global variables, which the generated skeleton
 * names.
 */
#ifndef CPPLAND_BPF_STATE_TYPES_H
#define CPPLAND_BPF_STATE_TYPES_H

/* What runs on a CPU, for choosing whom a wake-up preempts. Written by that CPU. */
enum cpu_runs {
	RUNS_NOTHING = 0, /* or it is not known */
	RUNS_TASK,
	RUNS_AGENT,
	RUNS_EXEMPT, /* a task that is never made to wait */
};

enum cpu_offline {
	CPU_IS_ONLINE = 0,
	CPU_LEAVES, /* the kernel waits until nothing that is runnable is left on it */
	CPU_IS_OFFLINE,
};

struct cpu_state {
	u64 key;
	u64 vtime;
	u64 began_at;
	u64 next_rescue_at; /* from its own queue, of tasks that wait too long */
	s32 tid;
	u32 offline;   /* enum cpu_offline; changed by compare-and-swap */
	u64 taken_at;  /* when it was given to who has not begun to run; 0: to nobody; atomic */
	u64 handed_at; /* ... by who runs there, which is about to sleep; 0: not so */
	s32 taker;     /* that is who */
	u8 runs;       /* enum cpu_runs */
	u8 has_key;
	u8 has_credit;
	u8 is_rare;
	u8 calls_agent; /* it has taken the agent from its queue to run it next */
	u8 has_own;	/* its own queue has been used: from then on it looks there */
	u8 woken_for;	/* when idle it was woken for that domain, not its own, plus 1; 0: not so */
	u8 own_first;	/* of what is decided, it looked at its own queue first the last time */
} __attribute__((aligned(64)));

/* How the agent stands. Times are 0 when they do not apply. */
struct agent_state {
	u64 asked_at;	/* a pass was asked for then and is not done */
	u64 rest_until; /* no pass before, unless it is overdue */
	u64 ran_at;	/* it last had a CPU */
	u64 passes;	/* completed, as the agent says */
	u64 failover_at;
	u32 called;  /* by a CPU that tells it who waits, until it is done; atomic */
	u16 wanted;  /* it has something to do, when it is rested */
	u8 overdue;  /* it has not run for a heartbeat: now, rested or not */
	u8 answered; /* it has done a pass since it took over */
	s32 cpu;     /* where it last ran */
};

/* CPUs that share a cache, and what waits for them. */
struct domain {
	struct agent_state agent;
	u64 vtime_now;	     /* the greatest vtime of a task that has begun to run here */
	u64 held_at;	     /* somebody last began to wait; atomic */
	u64 next_rescue_at;  /* from its queues, of tasks that wait too long */
	u64 next_balance_at; /* whether others are behind */
	u64 next_loss_at;    /* to others, if it is behind them */
	u64 lag;	     /* how far it was behind the first of all then */
	u32 nr_online;	     /* CPUs; atomic */
	u32 drain_lock;
	u32 next_choice; /* of a domain for a new task */
	u32 succeeded;	 /* its agent is another one since then: look after those before */
} __attribute__((aligned(64)));

#endif /* CPPLAND_BPF_STATE_TYPES_H */
