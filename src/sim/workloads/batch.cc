// SPDX-License-Identifier: GPL-2.0-only
// batch.cc - the generators whose tasks compute: as hogs, or one short-lived task after another.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/random.h"
#include "sim/workloads/generators.h"
#include "sim/workloads/wait_queue.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;
constexpr Step kBlock{.kind = Step::Kind::kBlock};
constexpr Step kExit{.kind = Step::Kind::kExit};
constexpr Step run(std::uint64_t ns) { return {.kind = Step::Kind::kRun, .ns = ns}; }
constexpr Step sleep(std::uint64_t ns) { return {.kind = Step::Kind::kSleep, .ns = ns}; }

// A parent that waits for its children.
struct Family {
  std::uint64_t alive = 0;  // children
  Waiter parent;
  WaitQueue waits;

  void child_ends(Machine& machine) {
    --alive;
    waits.wake_one(machine);
  }
};

// --- hogs ---

// A unit is a millisecond of work.
class Hog final : public Program {
 public:
  Step next(Machine& /*machine*/, Task& /*task*/) override {
    constexpr std::uint64_t kPiece = 5;
    if (std::exchange(began_, true)) progress_.units += kPiece;
    return run(kPiece * kMs);
  }

 private:
  bool began_ = false;
};

// --- compile ---

// Computes, and waits for files in between. A unit is the whole.
class CompileJob final : public Program {
 public:
  CompileJob(std::shared_ptr<Family> family, std::uint64_t work, Random random)
      : family_(std::move(family)), left_(work), random_(random) {}

  Step next(Machine& machine, Task& /*task*/) override {
    if (left_ == 0) {
      progress_.units = 1;
      family_->child_ends(machine);
      return kExit;
    }
    if (std::exchange(computed_, !computed_)) return sleep(random_.between(100 * kUs, 2 * kMs));
    const std::uint64_t piece = std::min(left_, random_.between(2 * kMs, 40 * kMs));
    left_ -= piece;
    return run(piece);
  }

 private:
  std::shared_ptr<Family> family_;
  std::uint64_t left_;
  Random random_;
  bool computed_ = false;
};

struct CompileOptions {
  std::uint64_t jobs = 1;
  std::uint64_t least = kMs;
  std::uint64_t most = kMs;
  int nice = 0;
};

// Keeps so many jobs going.
class Make final : public Program {
 public:
  Make(const CompileOptions& options, Stage& stage)
      : options_(options), stage_(stage), random_(stage.random().fork()) {}

  Step next(Machine& /*machine*/, Task& task) override {
    family_->parent.task = &task;
    if (family_->parent.waiting) return kBlock;
    if (std::exchange(prepared_, false)) start_job();
    if (family_->alive == options_.jobs) {
      family_->waits.add(family_->parent);
      return kBlock;
    }
    prepared_ = true;
    return run(300 * kUs);
  }

 private:
  void start_job() {
    const std::uint64_t work = random_.between(options_.least, options_.most);
    ++family_->alive;
    stage_.start({.name = "cc",
                  .group = "compile",
                  .nice = options_.nice,
                  .program = std::make_unique<CompileJob>(family_, work, random_.fork())});
  }

  CompileOptions options_;
  Stage& stage_;
  Random random_;
  std::shared_ptr<Family> family_ = std::make_shared<Family>();
  bool prepared_ = false;
};

// --- fork-storm ---

class Child final : public Program {
 public:
  Child(std::shared_ptr<Family> family, std::uint64_t work)
      : family_(std::move(family)), work_(work) {}

  // A unit is a life.
  Step next(Machine& machine, Task& /*task*/) override {
    if (work_ > 0) return run(std::exchange(work_, 0));
    progress_.units = 1;
    family_->child_ends(machine);
    return kExit;
  }

 private:
  std::shared_ptr<Family> family_;
  std::uint64_t work_;
};

class Parent final : public Program {
 public:
  Parent(const Settings& settings, Stage& stage)
      : children_(settings["children"]),
        work_(settings["work-us"] * kUs),
        pause_(settings["pause-ms"] * kMs),
        stage_(stage),
        random_(stage.random().fork()) {}

  // A unit is a round.
  Step next(Machine& /*machine*/, Task& task) override {
    family_->parent.task = &task;
    if (family_->parent.waiting) return kBlock;
    if (std::exchange(forking_, false)) {
      ++started_;
      ++family_->alive;
      stage_.start({.name = "child",
                    .group = "child",
                    .program = std::make_unique<Child>(family_, 1 + random_.below(2 * work_))});
    }
    if (started_ < children_) {
      forking_ = true;
      return run(50 * kUs);
    }
    if (family_->alive > 0) {
      family_->waits.add(family_->parent);
      return kBlock;
    }
    started_ = 0;
    ++progress_.units;
    return sleep(pause_);
  }

 private:
  std::uint64_t children_;
  std::uint64_t work_;
  std::uint64_t pause_;
  Stage& stage_;
  Random random_;
  std::shared_ptr<Family> family_ = std::make_shared<Family>();
  std::uint64_t started_ = 0;
  bool forking_ = false;
};

}  // namespace

void begin_hogs(const Settings& settings, Stage& stage) {
  const std::uint64_t hogs = settings["per-cpu"] * stage.machine().topology().nr_online();
  for (std::uint64_t i = 0; i < hogs; ++i)
    stage.start({.name = numbered("hog", i, hogs),
                 .group = "hog",
                 .nice = static_cast<int>(settings["nice"]),
                 .program = std::make_unique<Hog>()});
}

void begin_compile(const Settings& settings, Stage& stage) {
  const std::uint64_t least = settings["least-ms"] * kMs;
  const CompileOptions options{.jobs = tasks_for(settings["jobs"], 1, stage),
                               .least = least,
                               .most = std::max(least, settings["most-ms"] * kMs),
                               .nice = static_cast<int>(settings["nice"])};
  stage.start({.name = "make", .group = "make", .program = std::make_unique<Make>(options, stage)});
}

void begin_fork_storm(const Settings& settings, Stage& stage) {
  const std::uint64_t parents = tasks_for(settings["parents"], 4, stage);
  for (std::uint64_t i = 0; i < parents; ++i)
    stage.start({.name = numbered("parent", i, parents),
                 .group = "parent",
                 .program = std::make_unique<Parent>(settings, stage)});
}

}  // namespace cppland::sim
