// SPDX-License-Identifier: GPL-2.0-only
// memory.cc - memory that never has to be waited for.
#include "agent/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/unique_handle.h"

namespace cppland {
namespace {

// Best effort: what it has is little and does not grow, so nothing would be won.
void spare_from_oom_killer() {
  const UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  constexpr std::string_view kNever = "-1000";
  if (file) static_cast<void>(::write(file.get(), kNever.data(), kNever.size()) > 0);
}

}  // namespace

Result<void> lock_memory() {
  // Best effort: root may raise the limit; if it stays too low, mlockall() says so.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  // What loading the dispatcher took and gave back need not be in memory. Locked pages cannot be
  // given back: after a restart they are let go of first.
  ::munlockall();
  ::malloc_trim(0);
  // Memory that was freed is not given back, so that it need not be faulted in again.
  ::mallopt(M_TRIM_THRESHOLD, -1);  // NOLINT(concurrency-mt-unsafe): before the agent works
  ::mallopt(M_MMAP_MAX, 0);         // NOLINT(concurrency-mt-unsafe)
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  spare_from_oom_killer();
  if (::mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return error(errno,
               "cannot lock the scheduler's memory (the limit is {} KiB): run it as root, or raise "
               "the limit on locked memory (ulimit -l, LimitMEMLOCK=) to at least 32768 KiB",
               limit.rlim_cur / 1024);
}

std::uint64_t page_faults() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt) + static_cast<std::uint64_t>(usage.ru_majflt);
}

}  // namespace cppland
