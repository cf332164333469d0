// SPDX-License-Identifier: GPL-2.0-only
// skeleton.h - the generated skeleton of bpf/dispatcher.bpf.c, with the types that it names.
#pragma once

#include <abi/cppland_abi.h>
#include <linux/types.h>

// The dispatcher's names for the kernel's integer types; the skeleton repeats them.
using u8 = __u8;
using u16 = __u16;
using u32 = __u32;
using u64 = __u64;
using s32 = __s32;
using s64 = __s64;

#include <bpf/state_types.h>

#include <dispatcher.skel.h>
