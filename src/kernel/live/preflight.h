// SPDX-License-Identifier: GPL-2.0-only
// preflight.h - can a scheduler be loaded here at all, and if not, what is to be done.
#pragma once

#include <string>

#include "base/result.h"

namespace cppland::live {

// Where the kernel's files are; a test points them at a tree of its own.
struct KernelFiles {
  std::string sched_ext = "/sys/kernel/sched_ext";
  std::string btf = "/sys/kernel/btf/vmlinux";
  std::string pid_namespace = "/proc/self/ns/pid";
};

// Each refusal is one message that says what to do: no sched_ext, no BTF, missing privileges, a PID
// namespace of its own, a kernel whose BTF describes its own functions wrongly, another scheduler
// running. A scheduler that is just leaving is waited for, for some seconds.
[[nodiscard]] Result<void> preflight(const KernelFiles& files = {});

// The same for one that takes over from a scheduler of ours, which may be running.
[[nodiscard]] Result<void> preflight_to_take_over(const KernelFiles& files = {});

// The parts, in the order in which preflight() runs them.
[[nodiscard]] Result<void> check_sched_ext(const KernelFiles& files);
[[nodiscard]] Result<void> check_btf_exists(const KernelFiles& files);
[[nodiscard]] Result<void> check_privileges();
[[nodiscard]] Result<void> check_namespace(const KernelFiles& files);
[[nodiscard]] Result<void> check_kfuncs(const KernelFiles& files);
[[nodiscard]] Result<void> wait_until_free(const KernelFiles& files = {});

}  // namespace cppland::live
