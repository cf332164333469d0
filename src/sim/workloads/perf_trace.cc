// SPDX-License-Identifier: GPL-2.0-only
// perf_trace.cc - see perf_trace.h.
#include "sim/workloads/perf_trace.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "sim/workloads/perf_line.h"

namespace cppland::sim::perf {
namespace {

// A thread while the recording is read.
struct Life {
  Thread thread{};
  std::optional<std::uint64_t> runs_since{};
  std::optional<std::uint64_t> sleeps_since{};
  std::uint64_t ran = 0;  // in its phase
  bool over = false;
};

class Reader {
 public:
  void take(const Line& line) {
    if (!std::exchange(begun_, true)) began_ = line.at;
    last_ = std::max(last_, line.at);
    const std::uint64_t at = std::max(line.at, began_);
    switch (line.kind) {
      case Line::Kind::kSwitch:
        stop(line.who, at, line.state);
        run(line.other, at);
        return;
      case Line::Kind::kWakeup:
        wake(line.who, at);
        return;
      case Line::Kind::kFork:
        fork(line.other, at);
        return;
      case Line::Kind::kExit:
      case Line::Kind::kOther:
        return;
    }
  }

  Trace finish() {
    Trace trace;
    trace.length = last_ - began_;
    for (Life& life : lives_) {
      if (life.runs_since) life.ran += last_ - *life.runs_since;
      if (life.ran > 0 || life.sleeps_since) life.thread.phases.push_back({.run = life.ran});
      if (!life.thread.phases.empty()) trace.threads.push_back(std::move(life.thread));
    }
    return trace;
  }

 private:
  // Who it is; null for a CPU's idle task. @start: since when, if it has not been seen before.
  Life* find(const Who& who, std::uint64_t start) {
    if (who.tid == 0) return nullptr;
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

  void stop(const Who& who, std::uint64_t at, char state) {
    // Not seen before: has run since the beginning.
    const bool known = by_tid_.contains(who.tid);
    Life* life = find(who, known ? at : began_);
    if (life == nullptr) return;
    if (!known) life->runs_since = began_;
    if (life->runs_since) life->ran += at - std::min(at, *life->runs_since);
    life->runs_since.reset();
    if (state == 'R') return;  // waits for a CPU
    life->sleeps_since = at;
    life->over = state == 'X' || state == 'Z' || state == 'x';
  }

  void run(const Who& who, std::uint64_t at) {
    Life* life = find(who, at);
    if (life == nullptr) return;
    end_sleep(*life, at);
    life->runs_since = at;
  }

  void wake(const Who& who, std::uint64_t at) {
    if (Life* life = find(who, at)) end_sleep(*life, at);
  }

  static void end_sleep(Life& life, std::uint64_t at) {
    if (!life.sleeps_since) return;
    const std::uint64_t slept = at - std::min(at, *life.sleeps_since);
    life.thread.phases.push_back({.run = std::exchange(life.ran, 0), .sleep = slept});
    life.sleeps_since.reset();
  }

  void fork(const Who& child, std::uint64_t at) {
    if (by_tid_.contains(child.tid)) lives_[by_tid_[child.tid]].over = true;
    if (Life* life = find(child, at)) life->thread.forked = true;
  }

  std::vector<Life> lives_;
  std::unordered_map<std::int32_t, std::size_t> by_tid_;
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
  Trace counts;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    ++counts.lines;
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto parsed = parse_line(line)) {
      if (parsed->kind == Line::Kind::kWakeup) ++counts.wakeups;
      reader.take(*parsed);
    } else if (++counts.bad_lines == 1) {
      counts.first_bad = counts.lines;
    }
  }
  Trace trace = reader.finish();
  if (trace.threads.empty())
    return error(EINVAL,
                 "none of its {} lines tells of a thread that runs (sched_switch); record with "
                 "`perf sched record`, and print with `perf sched script`",
                 counts.lines);
  trace.lines = counts.lines;
  trace.bad_lines = counts.bad_lines;
  trace.first_bad = counts.first_bad;
  trace.wakeups = counts.wakeups;
  return trace;
}

}  // namespace cppland::sim::perf
