// SPDX-License-Identifier: GPL-2.0-only
// confine.cc - what a scheduler that is attached may still do: what it needs.
#include "cli/confine.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "base/capabilities.h"

namespace cppland::cli {
namespace {

constexpr sock_filter kFilter[] = {
#include <syscall_filter.inc>
};

}  // namespace

Result<void> confine() {
  CPPLAND_TRY(drop_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return error(errno, "giving up new privileges");
  const sock_fprog program{.len = std::size(kFilter), .filter = const_cast<sock_filter*>(kFilter)};
  const long thread =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (thread < 0)
    return error(errno,
                 "giving up system calls (seccomp): where the kernel or a sandbox has none, run it "
                 "with --no-sandbox");
  if (thread > 0)
    return error(EPERM, "giving up system calls (seccomp): thread {} has a filter of its own",
                 thread);
  return {};
}

}  // namespace cppland::cli
