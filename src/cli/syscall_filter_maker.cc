// SPDX-License-Identifier: GPL-2.0-only
// syscall_filter_maker.cc - writes the filter of confine.cc to a file, as a program for the kernel.
// Runs when cppland is built, so that an agent, all of whose memory is locked, need not carry what
// makes filters.
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

namespace {

// The agents: sched_yield alone, and what the C++ library's waiting takes. The main thread: waits,
// reads signals, tells of the end, lets go. The policy is arithmetic.
constexpr int kAllowed[] = {
    SCMP_SYS(sched_yield),
    SCMP_SYS(futex),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munlock),
    SCMP_SYS(getrusage),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
};

int fail(const char* what, int error) {
  errno = error;
  std::perror(what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: syscall_filter_maker FILE\n", stderr);
    return 2;
  }
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return fail("seccomp_init", ENOMEM);
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> owner(filter, seccomp_release);
  int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
  // By a binary search: an agent's sched_yield() is on the way of every decision.
  if (err == 0) err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const int call : kAllowed)
    if (err == 0) err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  // Memory, but none to be executed.
  constexpr scmp_arg_cmp kNotExecuted{
      .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    if (err == 0) err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, kNotExecuted);
  if (err != 0) return fail("adding a rule", -err);

  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> program(std::tmpfile(), std::fclose);
  if (!program) return fail("a temporary file", errno);
  err = seccomp_export_bpf(filter, ::fileno(program.get()));
  if (err != 0) return fail("seccomp_export_bpf", -err);
  if (std::fseek(program.get(), 0, SEEK_SET) != 0) return fail("a temporary file", errno);
  std::FILE* const out = std::fopen(argv[1], "we");
  if (!out) return fail(argv[1], errno);
  std::fputs("// What the kernel runs for each system call. Written by syscall_filter_maker.\n",
             out);
  sock_filter step{};
  while (std::fread(&step, sizeof(step), 1, program.get()) == 1)
    std::fprintf(out, "{0x%02x, %u, %u, 0x%08x},\n", step.code, step.jt, step.jf, step.k);
  return std::fclose(out) == 0 ? 0 : fail(argv[1], errno);
}
