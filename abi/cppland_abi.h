/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cppland_abi.h - what the dispatcher and the agent say to each other through shared memory.
 *
 * One header for the BPF program, the library, the simulator and the tests. The machine's CPUs are
 * in domains, each with an agent of its own, and a `struct cppland_channel` between that agent and
 * the dispatcher:
 *
 *   - a ring of events, written by the dispatcher on any CPU, read by the agent;
 *   - a ring of decisions, written by the agent, read by the dispatcher on any CPU, one at a time;
 *   - a few words of state, each cache line with one writing side, named beside it.
 *
 * What there is once is in `struct cppland_shm`: which version this is, what a successor must know
 * to take over, and counters, a line for every CPU, written by that CPU only. Both are
 * memory-mapped BPF maps.
 *
 * Another process's agents can take over (`struct cppland_agents`) while the dispatcher goes on.
 * Each domain has two channels: those that take over use the one that the others do not.
 *
 * Neither side trusts the other: indices are copied, bounded and then used; a slot that makes no
 * sense is dropped and counted. There are no pointers. Times are nanoseconds of CLOCK_MONOTONIC,
 * which is what bpf_ktime_get_ns() returns. Any change of layout or meaning raises
 * CPPLAND_ABI_VERSION; the assertions at the end, and a test, hold it to that.
 */
#ifndef CPPLAND_ABI_H
#define CPPLAND_ABI_H

#if !defined(__bpf__)
#include <linux/types.h>
#endif

#define CPPLAND_ABI_MAGIC   0x646e616c707063ULL /* "cppland" */
#define CPPLAND_ABI_VERSION 4U

#define CPPLAND_MAX_CPUS       1024U
#define CPPLAND_EVENT_SLOTS    2048U /* a power of two */
#define CPPLAND_DECISION_SLOTS 2048U /* a power of two */
#define CPPLAND_COMM_LEN       16U
#define CPPLAND_CACHE_LINE     64U

/* What a preemption on credit that cuts a turn short takes off that credit, besides the CPU time
 * that it is used for: it costs others that much more than a turn in line does. In ns. */
#define CPPLAND_PREEMPT_NS 100000U

/* Domains are CPUs that share a cache; each CPU is in one. A power of two. */
#define CPPLAND_MAX_DOMAINS 64U

/* What an event says of a task. */
enum cppland_event_type {
	CPPLAND_EVENT_NONE = 0,
	CPPLAND_EVENT_READY = 1, /* it waits for a decision */
	CPPLAND_EVENT_RAN = 2,	 /* it woke ahead of others and will soon have used up its credit */
	CPPLAND_EVENT_GONE = 3,	 /* it has exited; its tid may come back as another task */
};

enum cppland_event_flags {
	CPPLAND_TASK_WOKE = 1U << 0,	/* it slept since the last event about it */
	CPPLAND_TASK_KTHREAD = 1U << 1, /* a kernel thread */
};

/* One event, two cache lines. `seq` is written last: slot i of lap n is full when it is n * SLOTS +
 * i + 1. */
struct cppland_event {
	__u64 seq;
	__u64 generation; /* of this wait; a decision must repeat it. The high half tells
			     incarnations of a tid apart */
	__u32 type;	  /* enum cppland_event_type */
	__u32 domain;	  /* whose agent this is for */
	__s32 tid;
	__s32 tgid;
	__s32 cpu; /* where it last ran */
	__u32 nr_cpus_allowed;
	__u32 weight;  /* 1..10000, 100 is nice 0 */
	__u32 flags;   /* enum cppland_event_flags */
	__u64 at_ns;   /* when it began to wait */
	__u64 used_ns; /* CPU time since the last event about it */
	/* --- second line --- */
	__u64 exec_runtime_ns; /* CPU time since its last sleep */
	__u64 total_ns;	       /* CPU time since it was born */
	char comm[CPPLAND_COMM_LEN];
	__u64 preempt_ns; /* since the last event: CPPLAND_PREEMPT_NS for each wake-up with which it
			     cut somebody's turn short on credit */
	__u64 reserved[3];
};

/* Where a decision sends a task: a CPU number, or one of these. */
#define CPPLAND_CPU_ANY (-1) /* the first allowed CPU that is free */
#define CPPLAND_CPU_ANY_IDLE \
	(-2) /* a CPU that is idle now, woken for it; else as CPPLAND_CPU_ANY */

enum cppland_decision_op {
	CPPLAND_DECIDE_NONE = 0,
	CPPLAND_DECIDE_RUN = 1, /* take the waiting task from the dispatcher's hold, in key order */
	CPPLAND_DECIDE_CREDIT =
		2, /* only set its credit; the generation's high half is what must match */
};

/* One decision, a cache line. It is a hint about a task that the dispatcher holds: what does not
 * fit is dropped. */
struct cppland_decision {
	__u64 generation;
	__u64 key; /* order among decided tasks, the smaller first (compared as signed difference)
		    */
	__u64 slice_ns;	      /* 0: the dispatcher's default; bounded by its maximum */
	__u64 wake_credit_ns; /* CPU time for which its coming wake-ups preempt the CPU with the
				 latest key */
	__s32 tid;
	__s32 cpu;
	__u32 op;     /* enum cppland_decision_op */
	__u32 domain; /* that of the channel */
	__u64 reserved[2];
};

/* Counters; each only grows. */
enum cppland_counter {
	CPPLAND_NR_USER_DISPATCHES = 0, /* tasks that went where the agent said */
	CPPLAND_NR_KERNEL_DISPATCHES,	/* tasks that the dispatcher placed itself */
	CPPLAND_NR_CANCEL_DISPATCHES,	/* decisions that came too late */
	CPPLAND_NR_BOUNCE_DISPATCHES, /* decisions for a CPU that the task may not use; sent to any
					 other */
	CPPLAND_NR_FAILED_DISPATCHES, /* decisions that make no sense: no such operation or domain,
					 a corrupt ring */
	CPPLAND_NR_SCHED_CONGESTED,   /* events that found the ring full */
	CPPLAND_NR_PREEMPT_WAKEUPS,   /* wake-ups that preempted a CPU at once */
	CPPLAND_NR_FAILOVERS, /* times the agent was late and the dispatcher went on without it */
	CPPLAND_FAILOVER_NS,  /* time spent so */
	CPPLAND_NR_RESCUED,   /* tasks that a live agent forgot */
	CPPLAND_NR_AGENT_PASSES, /* times the agent was given a CPU */
	CPPLAND_AGENT_NS,	 /* time it used there */
	CPPLAND_NR_EVENTS,	 /* events sent */
	CPPLAND_NR_UPGRADES,	 /* times the agents of another process took over */
	CPPLAND_NR_REVERTED,	 /* ... and did not answer, so that those before came back */
	CPPLAND_NR_COUNTERS,
};

/* Written by the dispatcher, under its lock of the decision ring or atomically. */
struct cppland_dispatcher_line {
	__u64 event_head; /* events claimed so far; atomic */
	__u64 decision_tail;
	__u32 nr_waiting; /* tasks in the domain's queues, when it last called the agent */
	__u32 attached;	  /* 1 between the dispatcher's init and exit */
	__u32 nr_online;  /* CPUs of the domain, when it last called the agent */
	__u32 reserved0;
	__u64 reserved[4];
};

/* Written by the agent. */
struct cppland_agent_line {
	__u64 event_tail;
	__u64 decision_head;
	__u64 passes;	    /* rises by one each time it is done and about to yield its CPU */
	__u32 nr_scheduled; /* tasks that the policy holds */
	__u32 reserved0;
	__u64 reserved[4];
};

/* Written by one CPU. */
struct cppland_cpu_line {
	__u64 counter[CPPLAND_NR_COUNTERS];
	__u64 reserved[16 - CPPLAND_NR_COUNTERS];
};

/* What a dispatcher was loaded with and keeps, whoever its agents are. */
enum cppland_fixed {
	CPPLAND_FIXED_PARTIAL = 1U << 0,
	CPPLAND_FIXED_NUMA_LOCAL = 1U << 1,
};

#define CPPLAND_MAX_MAPS 32U

struct cppland_shm {
	/* Written once by the loader, before the dispatcher schedules. The first line is the same
	 * in every version. */
	__u64 magic;
	__u32 version;
	__u32 size; /* sizeof(struct cppland_shm) */
	__u32 nr_cpu_ids;
	__u32 nr_domains;
	__u32 fixed; /* enum cppland_fixed */
	__u32 timeout_ms;
	__u32 nr_maps;
	__u32 reserved0;
	__u64 reserved3[3];

	/* Written by the dispatcher. */
	__s32 agent_tgid; /* the process whose agents decide */
	__u32 reign;	  /* rises with every change of agents; the last bit says which channels are
			     theirs */
	__u32 on_trial;	  /* 1: they have not all answered yet, and the ones before may come back */
	__u32 reserved1;
	__u64 reserved2[6];

	/* By the loader, as the first line. */
	__u32 map_id[CPPLAND_MAX_MAPS]; /* of all the dispatcher's maps, which must be kept open */
	__u8 domain_of_cpu[CPPLAND_MAX_CPUS];

	struct cppland_cpu_line cpu[CPPLAND_MAX_CPUS];
};

/* How it ended; valid once `kind` is not 0, which is written last. */
struct cppland_exit_record {
	__s32 kind; /* enum scx_exit_kind of the kernel */
	__u32 reserved;
	__s64 exit_code;
	char reason[128];
	char msg[1024];
};

enum cppland_agents_flags {
	CPPLAND_AGENTS_ASK_ALWAYS = 1U << 0,   /* about every choice: they take no rests */
	CPPLAND_AGENTS_PERCPU_LOCAL = 1U << 1, /* who may use one CPU only goes straight there */
};

/*
 * A process's agents, and how the dispatcher goes about with them: what the BPF program
 * cppland_succeed takes. Times in ns; bpf/state.bpf.h says what each means.
 */
struct cppland_agents {
	__u32 version; /* CPPLAND_ABI_VERSION */
	__u32 reign;   /* that they shall end, as the shared memory says */
	__s32 tgid;
	__u32 nr_domains;
	__u32 flags; /* enum cppland_agents_flags */
	__u32 reserved;
	__u64 slice_ns;
	__u64 sleeper_credit_ns;
	__u64 late_ns;
	__u64 forget_ns;
	__u64 rescue_every_ns;
	__u64 starve_ns;
	__s32 tid[CPPLAND_MAX_DOMAINS];
};

/* Between the dispatcher and the agent of one domain. There are two for each: first all of even
 * reigns, as many as the power of two that nr_domains is not greater than, then those of odd ones.
 */
struct cppland_channel {
	struct cppland_dispatcher_line dispatcher;
	struct cppland_agent_line agent;
	struct cppland_event event[CPPLAND_EVENT_SLOTS];
	struct cppland_decision decision[CPPLAND_DECISION_SLOTS];
};

#if defined(__cplusplus)
#define CPPLAND_ABI_ASSERT(cond, text) static_assert(cond, text)
#else
#define CPPLAND_ABI_ASSERT(cond, text) _Static_assert(cond, text)
#endif
#define CPPLAND_ABI_OFFSET(type, member, offset)                                \
	CPPLAND_ABI_ASSERT(__builtin_offsetof(struct type, member) == (offset), \
			   #type "." #member " has moved")

CPPLAND_ABI_ASSERT(sizeof(struct cppland_event) == 128, "an event is two cache lines");
CPPLAND_ABI_OFFSET(cppland_event, generation, 8);
CPPLAND_ABI_OFFSET(cppland_event, type, 16);
CPPLAND_ABI_OFFSET(cppland_event, domain, 20);
CPPLAND_ABI_OFFSET(cppland_event, tid, 24);
CPPLAND_ABI_OFFSET(cppland_event, cpu, 32);
CPPLAND_ABI_OFFSET(cppland_event, at_ns, 48);
CPPLAND_ABI_OFFSET(cppland_event, used_ns, 56);
CPPLAND_ABI_OFFSET(cppland_event, comm, 80);
CPPLAND_ABI_OFFSET(cppland_event, preempt_ns, 96);
CPPLAND_ABI_ASSERT(sizeof(struct cppland_decision) == 64, "a decision is one cache line");
CPPLAND_ABI_OFFSET(cppland_decision, key, 8);
CPPLAND_ABI_OFFSET(cppland_decision, slice_ns, 16);
CPPLAND_ABI_OFFSET(cppland_decision, wake_credit_ns, 24);
CPPLAND_ABI_OFFSET(cppland_decision, tid, 32);
CPPLAND_ABI_OFFSET(cppland_decision, op, 40);
CPPLAND_ABI_OFFSET(cppland_decision, domain, 44);
CPPLAND_ABI_ASSERT(sizeof(struct cppland_dispatcher_line) == CPPLAND_CACHE_LINE,
		   "one writer, one line");
CPPLAND_ABI_ASSERT(sizeof(struct cppland_agent_line) == CPPLAND_CACHE_LINE, "one writer, one line");
CPPLAND_ABI_ASSERT(sizeof(struct cppland_cpu_line) == 128, "a CPU's counters are two lines");
CPPLAND_ABI_OFFSET(cppland_shm, agent_tgid, 64);
CPPLAND_ABI_OFFSET(cppland_shm, map_id, 128);
CPPLAND_ABI_OFFSET(cppland_shm, domain_of_cpu, 256);
CPPLAND_ABI_OFFSET(cppland_shm, cpu, 1280);
CPPLAND_ABI_OFFSET(cppland_agents, tid, 72);
CPPLAND_ABI_ASSERT(sizeof(struct cppland_agents) == 328, "what a successor says of itself");
CPPLAND_ABI_OFFSET(cppland_channel, agent, 64);
CPPLAND_ABI_OFFSET(cppland_channel, event, 128);
CPPLAND_ABI_OFFSET(cppland_channel, decision, 128 + 128 * 2048);
CPPLAND_ABI_ASSERT((CPPLAND_MAX_DOMAINS & (CPPLAND_MAX_DOMAINS - 1)) == 0,
		   "a mask selects the domain");
CPPLAND_ABI_ASSERT((CPPLAND_EVENT_SLOTS & (CPPLAND_EVENT_SLOTS - 1)) == 0,
		   "a mask selects the slot");
CPPLAND_ABI_ASSERT((CPPLAND_DECISION_SLOTS & (CPPLAND_DECISION_SLOTS - 1)) == 0,
		   "a mask selects the slot");

#endif /* CPPLAND_ABI_H */
