// SPDX-License-Identifier: GPL-2.0-only
// kernel_types.h - bpf/kernel.h for C++: the declarations that the model is held to.
#pragma once

#include <cerrno>
#include <ctime>
#include <type_traits>  // before macros that its names collide with

#undef CLOCK_MONOTONIC

extern "C" {
#include <platform.h>

#include "bpf/kernel.h"
}

// Only the dispatcher's source is written in these.
#undef __ksym
#undef __weak
#undef KERNEL_TYPES_BEGIN
#undef KERNEL_TYPES_END
#undef READ_ONCE
#undef WRITE_ONCE
#undef BPF_FOR_EACH_ITER
#undef CORE_ENUM
