// SPDX-License-Identifier: GPL-2.0-only
// periodic.cc - see periodic.h.
#include "periodic.h"

#include "work.h"

namespace cppland::load {

void PeriodicResult::merge(const PeriodicResult& other) {
  wakeup.merge(other.wakeup);
  completion.merge(other.completion);
  periods += other.periods;
  late += other.late;
  skipped += other.skipped;
}

void PeriodicLedger::finished(Nanos woken, Nanos done, Nanos from, Nanos until) {
  if (release_ >= from) {
    ++result_.periods;
    result_.wakeup.record(woken - release_);
    result_.completion.record(done - release_);
    result_.late += done > release_ + period_ ? 1 : 0;
  }
  for (release_ += period_; release_ < done; release_ += period_) {
    if (release_ >= from && release_ < until) {
      ++result_.periods;
      ++result_.skipped;
    }
  }
}

void run_periodic(const Timeline& timeline, std::uint64_t loops, PeriodicLedger& ledger) {
  while (timeline.sleep_until(ledger.release())) {
    const Nanos woken = monotonic_now();
    burn(loops);
    ledger.finished(woken, monotonic_now(), timeline.from(), timeline.until());
  }
}

}  // namespace cppland::load
