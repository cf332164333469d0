// SPDX-License-Identifier: GPL-2.0-only
// watch.h - looks at a machine after each event: are the dispatcher's promises kept?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/sim/machine.h"
#include "sim/chaos/contest.h"
#include "sim/chaos/plan.h"
#include "sim/chaos/told.h"

namespace cppland::sim {

// See run_chaos() for what is held.
class Watch final : public Observer {
 public:
  // The bounds that the dispatcher is given, in ns: smaller than it has by itself, so that short
  // runs come to them.
  static constexpr std::uint64_t kLate = 5'000'000;
  static constexpr std::uint64_t kForget = 40'000'000;
  static constexpr std::uint64_t kStarve = 60'000'000;
  static constexpr std::uint64_t kTrial = 30'000'000;

  explicit Watch(const ChaosPlan& plan);

  // These are agents, or want to be.
  void expect(const std::vector<Task*>& agents) {
    agents_.insert(agents_.end(), agents.begin(), agents.end());
    for (const Task* agent : agents) told_.expect_agent(*agent);
  }
  // When the run begins.
  void begin(std::uint64_t at) { began_at_ = at; }
  void started(const Task& task, ChaosTaskKind kind);
  void disturbed(const Task& task);
  void disturbed_cpus() { cpus_disturbed_ = true; }

  void woke(const Task& task, std::uint64_t at) override { note("wakes", task, -1, at); }
  void began(const Task& task, int cpu, std::uint64_t at) override {
    note("begins", task, cpu, at);
  }
  void ended(const Task& task, int cpu, std::uint64_t at) override { note("ends", task, cpu, at); }
  void settled(Machine& machine) override;
  // At the end: shares.
  void look_back(const Machine& machine);

  // From now on the history is printed as it happens.
  void tell_history() { tells_ = true; }
  void note(std::string_view what, const Task& task, int cpu, std::uint64_t at) const;

  // What was wrong first; empty if nothing is.
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

 private:
  struct Known {
    const Task* task;
    ChaosTaskKind kind;
    bool disturbed;
    CpuSet allowed{};
    std::uint64_t allowed_since = 0;
    std::uint64_t asked_since = 0;  // 0: it is not in ASKED
    bool bound = false;             // it waits in a CPU's own queue
    std::uint64_t freed_at = 0;     // when it left one last
  };

  std::string look(const Machine& machine);
  [[nodiscard]] std::string look_at_task(const Machine& machine, const Task& task);
  [[nodiscard]] std::string look_at_waiting(const Machine& machine, const Known& known) const;
  [[nodiscard]] std::string look_at_agents_work(const Machine& machine);
  [[nodiscard]] static std::string look_at_failovers(std::uint64_t at);
  std::string look_at_cpus(const Machine& machine);

  const ChaosPlan& plan_;
  bool agent_is_sound_;
  bool cpus_disturbed_ = false;
  bool tells_ = false;
  std::vector<Task*> agents_;
  std::uint64_t began_at_ = 0;
  Contest contest_;
  Told told_;
  std::vector<Known> known_;
  std::vector<std::uint64_t> leaves_since_;  // by CPU; 0: it does not leave
  std::string wrong_;
};

}  // namespace cppland::sim
