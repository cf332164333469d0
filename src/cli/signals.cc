// SPDX-License-Identifier: GPL-2.0-only
// signals.cc - SIGINT, SIGTERM and SIGHUP as something to wait for.
#include "cli/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cppland::cli {

Result<StopSignals> StopSignals::block() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  if (const int err = pthread_sigmask(SIG_BLOCK, &set, nullptr))
    return error(err, "blocking signals");
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return error(errno, "making a signalfd");
  return StopSignals(std::move(fd));
}

int StopSignals::take() const noexcept {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo)
                                                                : 0;
}

}  // namespace cppland::cli
