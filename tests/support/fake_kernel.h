// SPDX-License-Identifier: GPL-2.0-only
// fake_kernel.h - a Kernel that does what a test says, and writes down what the agent does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace cppland::testing {

class FakeKernel final : public Kernel {
 public:
  // --- what the test says ---
  std::deque<cppland_event> events;
  std::size_t room = SIZE_MAX;  // for decisions
  std::uint32_t waiting = 0;
  std::uint32_t online = 4;
  bool is_attached = true;
  bool decides = true;
  std::function<void()> on_park = [] {};
  std::function<void()> on_stand_by = [] {};

  // --- what the agent did ---
  std::vector<std::string> calls;
  std::vector<cppland_decision> decisions;  // that found room
  std::vector<std::uint32_t> parked_with;   // nr_scheduled of each park()
  mutable std::uint64_t clock_reads = 0;

  [[nodiscard]] bool attached() const noexcept override { return is_attached; }

  [[nodiscard]] bool in_charge() const noexcept override { return decides; }

  void stand_by() noexcept override {
    calls.emplace_back("stand by");
    on_stand_by();
  }

  // Rises by 1 with each look at it.
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return 1'000 + clock_reads++; }

  [[nodiscard]] std::uint32_t nr_waiting() const noexcept override { return waiting; }
  [[nodiscard]] std::uint32_t nr_online() const noexcept override { return online; }

  std::size_t read_events(std::span<cppland_event> out) noexcept override {
    const std::size_t n = std::min(out.size(), events.size());
    std::copy_n(events.begin(), n, out.begin());
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(n));
    calls.push_back("read " + std::to_string(n));
    return n;
  }

  std::size_t write_decisions(std::span<const cppland_decision> made) noexcept override {
    const std::size_t n = std::min(room, made.size());
    room -= n;
    decisions.insert(decisions.end(), made.begin(), made.begin() + static_cast<std::ptrdiff_t>(n));
    calls.push_back("write " + std::to_string(n) + " of " + std::to_string(made.size()));
    return n;
  }

  void park(std::uint32_t nr_scheduled) noexcept override {
    parked_with.push_back(nr_scheduled);
    calls.emplace_back("park");
    on_park();
  }
};

}  // namespace cppland::testing
