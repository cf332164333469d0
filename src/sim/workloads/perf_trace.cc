// SPDX-License-Identifier: GPL-2.0-only
// perf_trace.cc - see perf_trace.h.
#include "sim/workloads/perf_trace.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "sim/workloads/perf_line.h"

namespace cppland::sim::perf {
namespace {

constexpr std::int32_t kIdle = 0;
constexpr std::int32_t kNobodyKnown = -1;

// A thread while the recording is read.
struct Life {
  Thread thread{};
  std::optional<std::uint64_t> runs_since{};
  std::int32_t cpu = -1;  // where it runs; -1: not said
  std::optional<std::uint64_t> sleeps_since{};
  std::uint64_t ran = 0;  // in its phase
  bool has_run = false;
  bool over = false;
};

// Who ran on a CPU before one of its switches.
enum class LastHere : std::uint8_t {
  kNotSaid,  // nor which CPU it is
  kFirst,    // it is the first one
  kUnknown,  // after a gap
  kKnown
};

class Reader {
 public:
  // REQUIRES: @line is not before the last one.
  void take(const Line& line, std::uint64_t number) {
    if (!std::exchange(begun_, true)) began_ = line.at;
    last_ = line.at;
    switch (line.kind) {
      case Line::Kind::kSwitch:
        switches_.add(number);
        if (!switch_over(line)) gaps_.add(number);
        return;
      case Line::Kind::kWakeup:
        wakeups_.add(number);
        if (Life* life = find(line.who, line.at)) end_sleep(*life, line.at);
        return;
      case Line::Kind::kFork:
        if (!fork(line.other, line.at)) gaps_.add(number);
        return;
      case Line::Kind::kExit:
      case Line::Kind::kOther:
        return;
    }
  }

  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

  // Without threads if not one run is known.
  Trace finish() {
    Trace trace;
    trace.length = last_ - began_;
    trace.switches = switches_;
    trace.gaps = gaps_;
    trace.wakeups = wakeups_;
    for (Life& life : lives_) {
      if (life.runs_since) add_run(life, last_);
      if (life.ran > 0 || life.sleeps_since) life.thread.phases.push_back({.run = life.ran});
      if (life.thread.phases.empty()) continue;
      // Any bytes may be in a name, and a terminal obeys some.
      std::ranges::replace_if(
          life.thread.comm, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; },
          '?');
      trace.threads.push_back(std::move(life.thread));
    }
    if (!knows_a_run_) trace.threads.clear();
    return trace;
  }

 private:
  // Who it is; null for a CPU's idle task. @start: since when, if it has not been seen before.
  Life* find(const Who& who, std::uint64_t start) {
    if (who.tid == kIdle) return nullptr;
    const auto [at, is_new] = by_tid_.emplace(who.tid, lives_.size());
    if (is_new || lives_[at->second].over) {
      at->second = lives_.size();
      lives_.push_back({.thread = {.tid = who.tid, .start = start - began_}});
    }
    Life& life = lives_[at->second];
    life.thread.comm = trim(who.comm);
    if (who.prio >= 0) life.thread.prio = who.prio;
    return &life;
  }

  void add_run(Life& life, std::uint64_t end) {
    life.ran += end - life.runs_since.value_or(end);
    life.runs_since.reset();
    knows_a_run_ = true;
  }

  // It does not run any more, and nobody knows since when: its CPU has another one.
  void lose_run(Life& life) {
    life.runs_since.reset();
    if (const auto at = on_cpu_.find(life.cpu); at != on_cpu_.end()) at->second = kNobodyKnown;
  }

  // False if there must have been another switch before, which is not there.
  bool switch_over(const Line& line) {
    bool follows = true;
    LastHere before = LastHere::kNotSaid;
    if (line.cpu >= 0) {
      const auto [at, is_new] = on_cpu_.emplace(line.cpu, kNobodyKnown);
      const std::int32_t ran = at->second;
      follows = ran == kNobodyKnown || ran == line.who.tid;
      if (!follows && ran != kIdle) lose_run(lives_[by_tid_.at(ran)]);
      if (is_new)
        before = LastHere::kFirst;
      else
        before = ran == kNobodyKnown ? LastHere::kUnknown : LastHere::kKnown;
    }
    if (!stop(line, before)) follows = false;
    if (!run(line)) follows = false;
    if (line.cpu >= 0) on_cpu_[line.cpu] = line.other.tid;
    return follows;
  }

  // False if a switch must be missing. (perf begins to record on one CPU after the other, and moves
  // between them: nothing is missing if who stops first on a CPU has come from another.)
  bool stop(const Line& line, LastHere before) {
    const bool may_have_run = before == LastHere::kFirst || before == LastHere::kNotSaid;
    const bool known = by_tid_.contains(line.who.tid);
    Life* life = find(line.who, !known && may_have_run ? began_ : line.at);
    if (life == nullptr) return true;
    if (may_have_run && !life->has_run && !life->thread.forked) {
      life->thread.start = 0;
      life->runs_since = began_;
      life->cpu = line.cpu;
    }
    life->has_run = true;
    const bool elsewhere = life->runs_since && life->cpu != line.cpu;
    if (elsewhere) lose_run(*life);
    const bool runs = life->runs_since.has_value();
    if (runs) {
      add_run(*life, line.at);
    } else {
      end_sleep(*life, line.at);
    }
    if (line.state != 'R') {  // else it waits for a CPU
      life->sleeps_since = line.at;
      life->over = line.state == 'X' || line.state == 'Z' || line.state == 'x';
    }
    return runs || (!elsewhere && (before == LastHere::kFirst || before == LastHere::kUnknown));
  }

  // False if it runs already.
  bool run(const Line& line) {
    Life* life = find(line.other, line.at);
    if (life == nullptr) return true;
    const bool follows = !life->runs_since;
    if (!follows) lose_run(*life);
    end_sleep(*life, line.at);
    life->runs_since = line.at;
    life->cpu = line.cpu;
    life->has_run = true;
    return follows;
  }

  static void end_sleep(Life& life, std::uint64_t at) {
    if (!life.sleeps_since) return;
    life.thread.phases.push_back(
        {.run = std::exchange(life.ran, 0), .sleep = at - *life.sleeps_since});
    life.sleeps_since.reset();
  }

  // False if who had that number before still runs.
  bool fork(const Who& child, std::uint64_t at) {
    bool follows = true;
    if (const auto before = by_tid_.find(child.tid); before != by_tid_.end()) {
      Life& life = lives_[before->second];
      follows = !life.runs_since;
      if (!follows) lose_run(life);
      life.over = true;
    }
    if (Life* life = find(child, at)) life->thread.forked = true;
    return follows;
  }

  std::vector<Life> lives_;
  std::unordered_map<std::int32_t, std::size_t> by_tid_;
  std::unordered_map<std::int32_t, std::int32_t> on_cpu_;  // who runs there
  Lines switches_;
  Lines gaps_;
  Lines wakeups_;
  bool knows_a_run_ = false;
  bool begun_ = false;
  std::uint64_t began_ = 0;
  std::uint64_t last_ = 0;
};

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return trim(line);
}

}  // namespace

Result<Trace> parse_trace(std::string_view text) {
  Reader reader;
  Lines bad;
  Lines losses;
  std::uint64_t number = 0;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const auto parsed = parse_line(line);
    if (parsed && parsed->at < reader.last())
      return error(
          EINVAL,
          "line {}: time goes back, by {} us: lines have to be in the order of their time, "
          "as `perf sched script` prints one recording",
          number, (reader.last() - parsed->at + 999) / 1000);
    if (parsed) {
      reader.take(*parsed, number);
    } else {
      (tells_of_a_loss(line) ? losses : bad).add(number);
    }
  }
  Trace trace = reader.finish();
  if (trace.threads.empty())
    return error(EINVAL,
                 "none of its {} lines tells of a thread that runs (sched_switch), from beginning "
                 "to end; record with `perf sched record`, and print with `perf sched script`",
                 number);
  trace.lines = number;
  trace.bad = bad;
  trace.losses = losses;
  return trace;
}

}  // namespace cppland::sim::perf
