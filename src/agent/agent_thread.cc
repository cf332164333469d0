// SPDX-License-Identifier: GPL-2.0-only
// agent_thread.cc - the one thread that the dispatcher knows as the agent.
#include "agent/agent_thread.h"

#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/capabilities.h"
#include "base/scope.h"

namespace cppland {
namespace {

constexpr std::size_t kStackBytes = std::size_t{128} * 1024;

}  // namespace

AgentThread::~AgentThread() { stop(); }

Result<void> AgentThread::start(std::span<const unsigned> cpus) {
  ended_ = CPPLAND_TRY(Event::make());

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const Finally destroy([&]() noexcept { pthread_attr_destroy(&attributes); });
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // Whatever class its maker is in: in another one than the dispatcher's, it would never rest.
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
  const sched_param no_priority{};
  pthread_attr_setschedparam(&attributes, &no_priority);
  if (!cpus.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
    pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int err = pthread_create(&thread_, &attributes, entry, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (err != 0) return error(err, "starting the agent's thread");
  running_ = true;
  known_.acquire();
  if (!prepared_) stop();
  return prepared_;
}

void AgentThread::go(Work work) {
  work_ = std::move(work);
  go_.release();
}

void AgentThread::stop() noexcept {
  if (!running_) return;
  stop_.store(true, std::memory_order_relaxed);
  go_.release();
  pthread_join(thread_, nullptr);
  running_ = false;
}

bool AgentThread::stop_within(std::chrono::seconds patience) noexcept {
  if (!running_) return true;
  stop_.store(true, std::memory_order_relaxed);
  go_.release();
  // Not pthread_clockjoin_np(), which ThreadSanitizer does not know.
  if (!ends_within(patience)) return false;
  pthread_join(thread_, nullptr);
  running_ = false;
  return true;
}

bool AgentThread::ends_within(std::chrono::milliseconds patience) const noexcept {
  const auto until = std::chrono::steady_clock::now() + patience;
  pollfd ended{.fd = ended_.fd(), .events = POLLIN, .revents = 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const int ready = ::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

void* AgentThread::entry(void* self) {
  static_cast<AgentThread*>(self)->main();
  return nullptr;
}

void AgentThread::main() noexcept {
  tid_ = ::gettid();
  pthread_setname_np(pthread_self(), "cppland-agent");
  prepared_ = drop_capabilities();  // a policy is arithmetic
  known_.release();
  go_.acquire();
  if (work_) work_(stop_);
  ended_.raise();
}

}  // namespace cppland
