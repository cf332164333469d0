// SPDX-License-Identifier: GPL-2.0-only
// as_sched_ext.cc - runs a command under the policy SCHED_EXT, which Debian 12's chrt does not
// know.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
  constexpr int kSchedExt = 7;  // SCHED_EXT of <linux/sched.h>, which Debian 12's headers lack
  if (argc < 2) {
    std::fputs("usage: as_sched_ext COMMAND...\n", stderr);
    return 2;
  }
  const sched_param none{};
  if (::sched_setscheduler(0, kSchedExt, &none) == 0) ::execvp(argv[1], argv + 1);
  std::fprintf(stderr, "as_sched_ext: %s\n", std::strerror(errno));
  return 126;
}
