// SPDX-License-Identifier: GPL-2.0-only
// tasks.cc - see tasks.h.
#include "tasks.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <system_error>

namespace cppland::load {
namespace {

constexpr std::size_t kStackSize = 256UL * 1024;  // small enough to be locked in memory
constexpr Nanos kStartDelay = 20 * kMillisecond;
constexpr unsigned kMicrosecondsBetweenSignals = 5000;

// A signal that does nothing but interrupt a sleep, which is never restarted.
void let_signal_interrupt_sleeps(int number) {
  struct sigaction nothing{};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  sigaction(number, &nothing, nullptr);
}

void use_small_stacks() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

}  // namespace

Result<void> Tasks::prepare(const Options& options, double loops_per_us) {
  loops_per_us_ = loops_per_us;
  random_.seed(options.seed);
  let_signal_interrupt_sleeps(SIGUSR1);
  use_small_stacks();
  // The threads keep pointers into these.
  frame_.reserve(options.frames);
  audio_.reserve(options.audio);
  pairs_.reserve(options.pairs);
  constexpr double kMicrosecondsPerSecond = 1e6;
  CPPLAND_TRY(add_periodic(frame_, "frame", options.frames,
                           kMicrosecondsPerSecond / options.frame_hz, options.frame_work_us));
  CPPLAND_TRY(
      add_periodic(audio_, "audio", options.audio, options.audio_period_us, options.audio_work_us));
  return add_pairs(options.pairs, options.pair_think_us, options.pair_work_us);
}

Tasks::~Tasks() {
  if (!started_.try_wait()) {
    started_.count_down();  // the timeline has no time in it: every thread ends at once
  }
}

void Tasks::start(Nanos warmup, Nanos measured) {
  timeline_.set(monotonic_now() + kStartDelay, warmup, measured);
  started_.count_down();
}

void Tasks::finish(bool early) {
  if (early) {
    timeline_.end_now();
    // A signal may come just before the sleep that it should end, hence again.
    while (ended_ < threads_.size()) {
      for (std::jthread& thread : threads_) {
        pthread_kill(thread.native_handle(), SIGUSR1);
      }
      usleep(kMicrosecondsBetweenSignals);
    }
  }
  threads_.clear();
}

PairResult Tasks::pair() const {
  PairResult sum;
  for (const Pair& pair : pairs_) {
    sum.merge(pair.result());
  }
  return sum;
}

Result<void> Tasks::add_periodic(std::vector<PeriodicLedger>& ledgers, const char* name,
                                 unsigned count, double period_us, double work_us) {
  const auto period = static_cast<Nanos>(period_us * kMicrosecond);
  for (unsigned i = 0; i < count; ++i) {
    const Nanos phase = std::uniform_int_distribution<Nanos>(0, period - 1)(random_);
    PeriodicLedger& ledger = ledgers.emplace_back(phase, period);
    CPPLAND_TRY(add_thread(name, [this, &ledger, loops = loops_of(work_us)] {
      ledger.delay(timeline_.start());
      run_periodic(timeline_, loops, ledger);
    }));
  }
  return {};
}

Result<void> Tasks::add_pairs(unsigned count, double think_us, double work_us) {
  const auto think = static_cast<Nanos>(think_us * kMicrosecond);
  for (unsigned i = 0; i < count; ++i) {
    Pair& pair = pairs_.emplace_back(CPPLAND_TRY(Pair::open()));
    CPPLAND_TRY(add_thread("respond", [this, &pair, loops = loops_of(work_us)] {
      pair.run_server(timeline_, loops);
    }));
    CPPLAND_TRY(add_thread("request", [this, &pair, think, seed = random_()] {
      pair.run_client(timeline_, think, std::mt19937_64(seed));
    }));
  }
  return {};
}

Result<void> Tasks::add_thread(const char* name, std::function<void()> body) {
  try {
    threads_.emplace_back([this, name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name);
      prctl(PR_SET_TIMERSLACK, 1);
      started_.wait();
      body();
      ++ended_;
    });
  } catch (const std::system_error& refused) {
    return error(refused.code().value(), "starting {} threads", threads_.size() + 1);
  }
  return {};
}

std::uint64_t Tasks::loops_of(double microseconds) const {
  return static_cast<std::uint64_t>(microseconds * loops_per_us_);
}

PeriodicResult Tasks::sum_of(const std::vector<PeriodicLedger>& ledgers) {
  PeriodicResult sum;
  for (const PeriodicLedger& ledger : ledgers) {
    sum.merge(ledger.result());
  }
  return sum;
}

}  // namespace cppland::load
