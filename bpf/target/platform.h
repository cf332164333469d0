/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * platform.h - what the dispatcher's source takes for granted, on the BPF machine.
 *
 * The simulator has a file of the same name, for the host: the dispatcher is compiled against
 * either, by the order of include folders, and knows of none.
 */
#ifndef CPPLAND_BPF_PLATFORM_H
#define CPPLAND_BPF_PLATFORM_H

typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true  1
#define false 0
#define NULL  ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum bpf_ringbuf_flags {
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_FORCE_WAKEUP = 2,
};

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Between these two: structures of the kernel, whose offsets are found when the program is loaded.
 */
#define KERNEL_TYPES_BEGIN \
	_Pragma("clang attribute push(__attribute__((preserve_access_index)), apply_to = record)")
#define KERNEL_TYPES_END _Pragma("clang attribute pop")

/* Global variables: what the loader sets, what the dispatcher changes, and kernel objects. */
#define TUNABLE const volatile
#define STATE
#define CHANNELS       SEC(".bss.channels")
#define NR_CHANNELS    1
#define KERNEL_OBJECTS SEC(".bss.CPPLAND") __hidden __attribute__((aligned(8)))

/* An enumerator's value in the running kernel. */
#define CORE_ENUM(type, name) bpf_core_enum_value(enum type, name)

#define STRUCT_OP(name, args...)	   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define STRUCT_OP_SLEEPABLE(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)
/* What a process calls. */
#define SYSCALL_PROGRAM(name, arg) SEC("syscall") name(arg)

#ifndef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#endif

#endif /* CPPLAND_BPF_PLATFORM_H */
