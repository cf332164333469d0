// SPDX-License-Identifier: GPL-2.0-only
// periodic.cc - the generators whose tasks have something to do at fixed times.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/random.h"
#include "sim/workloads/generators.h"

namespace cppland::sim {
namespace {

struct Rhythm {
  std::uint64_t period = 0;  // ns
  std::uint64_t work = 0;    // ns, on average
  std::uint64_t jitter = 0;  // percent of it
};

// Works once in each period, and must be done before the next. Periods that are over by the time
// that its work is done are left out, and missed.
class Beat final : public Program {
 public:
  Beat(const Rhythm& rhythm, std::uint64_t first, Random random)
      : rhythm_(rhythm), release_(first), random_(random) {}

  Step next(Machine& machine, Task& /*task*/) override {
    if (std::exchange(working_, false)) finish(machine.now());
    if (machine.now() < release_)
      return {.kind = Step::Kind::kSleep, .ns = release_ - machine.now()};
    working_ = true;
    return {.kind = Step::Kind::kRun, .ns = work()};
  }

 private:
  void finish(std::uint64_t now) {
    ++progress_.units;
    ++progress_.periods;
    if (now > release_ + rhythm_.period) ++progress_.missed;
    for (release_ += rhythm_.period; release_ < now; release_ += rhythm_.period) {
      ++progress_.periods;
      ++progress_.missed;
    }
  }

  std::uint64_t work() {
    const std::uint64_t most = rhythm_.work * rhythm_.jitter / 100;
    return std::max<std::uint64_t>(rhythm_.work - most + random_.below(2 * most + 1), 1);
  }

  Rhythm rhythm_;
  std::uint64_t release_;
  Random random_;
  bool working_ = false;
};

void start_beats(const char* name, std::uint64_t tasks, const Rhythm& rhythm,
                 const Settings& settings, Stage& stage) {
  Random random = stage.random().fork();
  for (std::uint64_t i = 0; i < tasks; ++i) {
    const std::uint64_t first = stage.machine().now() + random.below(rhythm.period);
    stage.start({.name = numbered(name, i, tasks),
                 .group = name,
                 .nice = static_cast<int>(settings["nice"]),
                 .program = std::make_unique<Beat>(rhythm, first, random.fork())});
  }
}

}  // namespace

void begin_frames(const Settings& settings, Stage& stage) {
  const Rhythm rhythm{.period = 1'000'000'000 / settings["hz"],
                      .work = settings["work-us"] * 1000,
                      .jitter = settings["jitter"]};
  start_beats("frame", tasks_for(settings["tasks"], 4, stage), rhythm, settings, stage);
}

void begin_audio(const Settings& settings, Stage& stage) {
  const Rhythm rhythm{.period = settings["period-us"] * 1000,
                      .work = settings["work-us"] * 1000,
                      .jitter = settings["jitter"]};
  start_beats("audio", tasks_for(settings["tasks"], 8, stage), rhythm, settings, stage);
}

}  // namespace cppland::sim
