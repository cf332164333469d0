// SPDX-License-Identifier: GPL-2.0-only
// contest.h - who gets how much where hogs contend and nothing disturbs them, and who decides it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/sim/machine.h"
#include "sim/chaos/plan.h"

namespace cppland::sim {

class Contest {
 public:
  explicit Contest(const ChaosPlan& plan) : plan_(plan) {}

  void add(const Task& hog) { hogs_.push_back({.task = &hog}); }
  // @at: since the run began. Whether an agent that does its work is heard.
  [[nodiscard]] std::string look(std::uint64_t at);
  // At the end: whether shares were by weight, if somebody has promised that.
  [[nodiscard]] std::string look_back() const;

 private:
  struct Entrant {
    const Task* task;
    std::uint64_t had = 0;  // when it began
  };

  [[nodiscard]] std::optional<std::uint64_t> tolerance(std::uint64_t due) const;

  const ChaosPlan& plan_;
  std::vector<Entrant> hogs_;
  bool begun_ = false;
  std::uint64_t decisions_ = 0;
  std::uint64_t heard_at_ = 0;
};

}  // namespace cppland::sim
