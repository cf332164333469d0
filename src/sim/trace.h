// SPDX-License-Identifier: GPL-2.0-only
// trace.h - who ran where and when, for chrome://tracing and ui.perfetto.dev.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// Writes the Trace Event Format while the machine runs: a track for each CPU, with a slice for each
// time that a task ran there and an instant for each wake-up of a task that last ran there. Times
// are from the beginning of the run.
class TraceWriter final : public Observer {
 public:
  // Does not own @file, and does not commit it.
  explicit TraceWriter(OutputFile& file) : file_(file) {}

  // The machine is about to be attached.
  void begin(const Machine& machine, std::string_view policy, std::string_view workload);
  // Nothing more will happen.
  void end(std::uint64_t now);

  [[nodiscard]] bool failed() const noexcept { return file_.failed(); }

  void woke(const Task& task, std::uint64_t at) override;
  void began(const Task& task, int cpu, std::uint64_t at) override;
  void ended(const Task& task, int cpu, std::uint64_t at) override;

 private:
  struct Slice {
    const Task* task = nullptr;
    std::uint64_t from = 0;
  };

  // As it stands between quotes.
  const std::string& name_of(const Task& task);

  OutputFile& file_;
  std::uint64_t begin_ = 0;
  std::vector<Slice> running_;      // by CPU
  std::vector<std::string> names_;  // by pid
};

}  // namespace cppland::sim
