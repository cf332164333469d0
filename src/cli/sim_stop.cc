// SPDX-License-Identifier: GPL-2.0-only
// sim_stop.cc - see sim_stop.h.
#include "cli/sim_stop.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/output_file.h"
#include "cli/exit_status.h"

namespace cppland::cli {
namespace {

constexpr unsigned kPatience = 1;  // s

// Handlers take no arguments of ours.
// NOLINTBEGIN(*-non-const-global-variables)
std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);  // so that a handler may
std::string_view the_program;
// NOLINTEND(*-non-const-global-variables)

[[noreturn]] void end_at_once(int signal) {
  remove_unfinished_files();
  ::_exit(kSignalled + signal);
}

void on_signal(int signal) {
  if (signal == SIGPIPE) end_at_once(signal);
  int first = 0;
  if (!first_signal.compare_exchange_strong(first, signal)) end_at_once(first);
  ::alarm(kPatience);
}

void on_alarm(int /*signal*/) { end_at_once(first_signal.load()); }

[[noreturn]] void on_throw() {
  const std::string what = what_was_thrown();
  remove_unfinished_files();
  fmt::print(stderr, "{}: {}\n", the_program, what);
  ::_exit(kFailure);
}

}  // namespace

StopRequests::StopRequests() {
  first_signal = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGALRM}) {
    struct sigaction mine{};
    mine.sa_handler = signal == SIGALRM ? on_alarm : on_signal;
    mine.sa_flags = SA_RESTART;
    Before before{.signal = signal, .action = {}};
    ::sigaction(signal, nullptr, &before.action);
    if (before.action.sa_handler == SIG_IGN && signal != SIGALRM) continue;  // nohup
    ::sigaction(signal, &mine, nullptr);
    before_.push_back(before);
  }
}

StopRequests::~StopRequests() {
  ::alarm(0);
  for (const Before& before : before_) ::sigaction(before.signal, &before.action, nullptr);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): it is of whom handlers work for
int StopRequests::signal() const noexcept { return first_signal.load(); }

std::string what_was_thrown() {
  const std::exception_ptr thrown = std::current_exception();
  if (!thrown) std::abort();
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {  // may be anybody's
    return "there is not enough memory";
  } catch (const std::exception& wrong) {
    return fmt::format("the policy threw: {}", wrong.what());
  } catch (...) {
    return "the policy threw something that is no std::exception";
  }
}

ThrowIsAMessage::ThrowIsAMessage(std::string_view program) : before_(std::set_terminate(on_throw)) {
  the_program = program;
}

ThrowIsAMessage::~ThrowIsAMessage() { std::set_terminate(before_); }

}  // namespace cppland::cli
