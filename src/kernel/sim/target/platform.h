/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * platform.h - what the dispatcher's source takes for granted, on the host.
 *
 * The counterpart of bpf/target/platform.h. The functions are the model's (kfuncs.cc); all act on
 * the one machine that is current.
 */
#ifndef CPPLAND_SIM_PLATFORM_H
#define CPPLAND_SIM_PLATFORM_H

#include <linux/types.h>
#include <stddef.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#ifdef __cplusplus
extern "C" {
#endif

/* --- for kernel.h --- */

#define __ksym
#define __weak
#define KERNEL_TYPES_BEGIN
#define KERNEL_TYPES_END

/* --- what kernels differ in --- */

/* Which of the functions that not every kernel has this one has. */
struct sim_kernel_has {
  bool scx_bpf_pick_idle_cpu_node;
  bool scx_bpf_cpu_node;
  bool scx_bpf_reenqueue_local;
  bool scx_bpf_task_set_slice;
  bool scx_bpf_cpu_curr;
  bool scx_bpf_cpu_rq;
};
extern struct sim_kernel_has sim_kernel_has;

/* --- helpers --- */

enum bpf_map_type {
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum bpf_ringbuf_flags {
  BPF_RB_AVAIL_DATA = 0,
  BPF_RB_FORCE_WAKEUP = 2,
};

struct task_struct;
struct bpf_timer;

u64 bpf_ktime_get_ns(void);
u32 bpf_get_smp_processor_id(void);
u64 bpf_get_current_pid_tgid(void);
void sim_trace(const char* format, ...) __attribute__((format(printf, 1, 2)));
long sim_read_str(char* to, u32 size, const char* from);
void* sim_array_element(void* map, u32 index, u32 max_entries, size_t size);
void* sim_task_storage(void* map, struct task_struct* p, size_t size, u64 flags);
long sim_timer_init(struct bpf_timer* timer, void* map);
long sim_timer_set_callback(struct bpf_timer* timer, void* callback);
long bpf_timer_start(struct bpf_timer* timer, u64 in_ns, u64 flags);
u64 bpf_ringbuf_query(void* ring, u64 flags);
long bpf_ringbuf_output(void* ring, void* data, u64 size, u64 flags);

#ifdef __cplusplus
}
#endif

/* --- for the dispatcher's source --- */

#ifndef __cplusplus

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __kptr
#define barrier_var(var) __asm__ volatile("" : "+r"(var))
#define __uint(name, value) int(*name)[value]
#define __type(name, type) __typeof__(type)* name
#define SEC(name) __attribute__((section("cppland_state"), used))
#define CORE_ENUM(type, name) name

/*
 * Whatever the dispatcher changes lies in one section, so that each machine begins with it as it
 * was written (state.cc).
 */
#define TUNABLE SEC()
#define STATE SEC()
#define CHANNELS  // as many as there can be: prepared for each machine, as many as it has
#define NR_CHANNELS (2 * CPPLAND_MAX_DOMAINS)
#define KERNEL_OBJECTS SEC()

#define STRUCT_OP(name, args...) name(args)
#define STRUCT_OP_SLEEPABLE(name, args...) name(args)
#define SYSCALL_PROGRAM(name, arg) name(arg)

#define bpf_ksym_exists(name) (sim_kernel_has.name)
#define bpf_core_field_exists(field) 1
#define BPF_CORE_READ(from, step, field) ((from)->step->field)

#define bpf_printk(format, args...) sim_trace(format "\n", ##args)
#define bpf_probe_read_kernel_str(to, size, from) sim_read_str(to, size, from)
#define bpf_map_lookup_elem(map, key)           \
  ((__typeof__((map)->value))sim_array_element( \
      (map), *(key), sizeof(*(map)->max_entries) / sizeof(int), sizeof(*(map)->value)))
#define bpf_task_storage_get(map, p, initial, flags) \
  ((__typeof__((map)->value))sim_task_storage((map), (p), sizeof(*(map)->value), (flags)))
#define bpf_timer_init(timer, map, clock) sim_timer_init((timer), (map))
#define bpf_timer_set_callback(timer, callback) sim_timer_set_callback((timer), (void*)(callback))
#define bpf_kptr_xchg(place, object)     \
  ({                                     \
    __typeof__(*(place)) old = *(place); \
    *(place) = (object);                 \
    old;                                 \
  })

#define bpf_for(i, begin, end) for ((i) = (begin); (i) < (end); (i)++)
#define bpf_for_each(type, each, args...)                                                \
  for (struct bpf_iter_##type ___it __attribute__((cleanup(bpf_iter_##type##_destroy))), \
       *___begun = (bpf_iter_##type##_new(&___it, ##args), &___it);                      \
       ___begun && ((each) = bpf_iter_##type##_next(&___it));)

#endif /* !__cplusplus */

#endif /* CPPLAND_SIM_PLATFORM_H */
