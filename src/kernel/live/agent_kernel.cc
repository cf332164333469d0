// SPDX-License-Identifier: GPL-2.0-only
// agent_kernel.cc - the running kernel as an agent sees it.
#include "kernel/live/agent_kernel.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "base/clock.h"

namespace cppland::live {

AgentKernel::AgentKernel(const cppland_shm& shm, cppland_channel& channel,
                         AgentCalls* calls) noexcept
    : shm_(shm), process_(::getpid()), rings_(channel), calls_(calls) {}

bool AgentKernel::attached() const noexcept {
  if (!rings_.attached()) return false;
  const Regime now = regime(shm_);
  return now.on_trial || now.tgid == process_;
}

bool AgentKernel::in_charge() const noexcept { return regime(shm_).tgid == process_; }

void AgentKernel::stand_by() noexcept {
  const timespec nap{.tv_sec = 0, .tv_nsec = 10 * static_cast<long>(kMillisecond)};
  ::nanosleep(&nap, nullptr);
}

std::uint64_t AgentKernel::now_ns() const noexcept { return monotonic_now(); }

void AgentKernel::park(std::uint32_t nr_scheduled) noexcept {
  rings_.finish_pass(nr_scheduled);
  if (calls_)
    calls_->wait();
  else
    ::sched_yield();
}

void AgentCalls::Closer::operator()(ring_buffer* calls) const noexcept { ring_buffer__free(calls); }

Result<std::unique_ptr<AgentCalls>> AgentCalls::make(int map_fd) {
  const auto ignore = [](void*, void*, std::size_t) { return 0; };
  Event ended = CPPLAND_TRY(Event::make());
  ring_buffer* calls = ring_buffer__new(map_fd, ignore, nullptr, nullptr);
  if (!calls) return error(errno, "mapping the ring by which the agent is called");
  return std::unique_ptr<AgentCalls>(new AgentCalls(calls, std::move(ended)));
}

void AgentCalls::wait() noexcept {
  std::array wait_for{
      pollfd{.fd = ring_buffer__epoll_fd(calls_.get()), .events = POLLIN, .revents = 0},
      pollfd{.fd = ended_.fd(), .events = POLLIN, .revents = 0}};
  ::poll(wait_for.data(), wait_for.size(), -1);
  ring_buffer__consume(calls_.get());
}

}  // namespace cppland::live
