// SPDX-License-Identifier: GPL-2.0-only
// interleave.cc - what other CPUs of the modelled machine do while one is in the middle of a
// callback: whatever needs no runqueue that is locked there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>

#include "kernel/sim/machine.h"

namespace cppland::sim {
namespace {

constexpr unsigned kDeepest = 2;          // events in the middle of others
constexpr std::uint64_t kReach = 50'000;  // ns; a callback takes no longer

}  // namespace

bool Machine::is_held(int cpu) const {
  const auto end = locked_.begin() + static_cast<std::ptrdiff_t>(nr_held_);
  return std::find(locked_.begin(), end, cpu) != end;
}

// Interrupts are disabled on a CPU that is in a callback.
bool Machine::can_go_on(const Event& event) {
  const auto is_free = [&](int cpu) { return std::ranges::find(locked_, cpu) == locked_.end(); };
  switch (event.kind) {
    case Event::Kind::kStop:
    case Event::Kind::kTick:
    case Event::Kind::kResched:
      return is_free(static_cast<int>(event.which));
    case Event::Kind::kWake:
      return is_free(task_of(event.which)->on_cpu);
    case Event::Kind::kTimer:
      return is_free(timers_[event.which].cpu);
    case Event::Kind::kWatchdog:
    case Event::Kind::kCall:
    case Event::Kind::kReturn:
    case Event::Kind::kOffline:
      break;
  }
  return false;
}

// At a call of the kernel's: some of the events that come soon come now.
void Machine::interleave() {
  if (options_.interleave_percent == 0 || !in_event_ || nr_nested_ == kDeepest) return;
  if (random_.below(100) >= options_.interleave_percent) return;

  const auto before =
      std::tuple(this_cpu_, spent_, being_inserted_, kf_mask_, locked_.size(), nr_held_);
  locked_.push_back(this_cpu_);
  nr_held_ = locked_.size();
  ++nr_nested_;
  while (go_on_elsewhere() && random_.one_in(2)) {
  }
  --nr_nested_;
  std::size_t size = 0;
  std::tie(this_cpu_, spent_, being_inserted_, kf_mask_, size, nr_held_) = before;
  locked_.resize(size);
}

// Whether there was such an event.
bool Machine::go_on_elsewhere() {
  if (!attached_) return false;
  auto chosen = events_.end();
  std::uint64_t candidates = 0;
  for (auto it = events_.begin(); it != events_.end(); ++it) {
    if (it->at <= now_ + kReach && can_go_on(*it) && random_.below(++candidates) == 0) chosen = it;
  }
  if (chosen == events_.end()) return false;
  const Event event = *chosen;
  events_.erase(chosen);
  std::ranges::make_heap(events_, std::greater{});
  const std::size_t first = later_.size();
  now_ = std::max(now_, event.at);
  spent_ = 0;
  being_inserted_ = nullptr;
  kf_mask_ = kKfUnlocked;
  handle(event);
  do_later(first);
  return true;
}

void Machine::later(std::function<void()> what) {
  if (!in_event_) {
    what();
    return;
  }
  later_.emplace_back([this, cpu = this_cpu_, spent = spent_, todo = std::move(what)] {
    this_cpu_ = cpu;
    spent_ = spent;
    todo();
  });
}

// What still cannot be done is left to the callback that is interrupted.
void Machine::do_later(std::size_t from) {
  const std::size_t end = nr_nested_ > 0 ? later_.size() : SIZE_MAX;
  std::size_t i = from;
  for (; i < std::min(end, later_.size()); ++i) std::exchange(later_[i], {})();
  later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(from),
               later_.begin() + static_cast<std::ptrdiff_t>(i));
}

}  // namespace cppland::sim
