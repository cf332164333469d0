// SPDX-License-Identifier: GPL-2.0-only
// workload.h - what a simulated machine has to do: jobs, and the programs that they run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_set.h"
#include "base/random.h"
#include "base/result.h"
#include "kernel/sim/machine.h"

namespace cppland::sim {

// What a task's program says of its own success.
struct Progress {
  std::uint64_t periods = 0;  // deadlines that have come
  std::uint64_t missed = 0;   // of these, those before which the work was not done
  std::uint64_t units = 0;    // pieces of work done, of whatever size the program's are
};

// A Behaviour that counts.
class Program : public Behaviour {
 public:
  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }

 protected:
  Progress progress_;
};

// One task of a workload.
struct Job {
  std::string name;   // of the task
  std::string group;  // the class of tasks that figures are told for, such as "frame" or "hog"
  int nice = 0;
  CpuSet cpus{};  // none: all
  std::unique_ptr<Program> program;
};

// Where a workload plays. Times are the machine's, in ns.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Starts a job, which is runnable from now on. From Workload::begin(), or from a program.
  virtual Task& start(Job job) = 0;
  [[nodiscard]] virtual Machine& machine() noexcept = 0;
  // The workload's own source of chance.
  [[nodiscard]] virtual Random& random() noexcept = 0;
};

// Outlives the machine: its programs may keep what they share in it.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  // Whether it can play on that machine: it may name CPUs. To be asked before begin().
  [[nodiscard]] virtual Result<void> check(const Topology& /*topology*/) const { return {}; }

  // Starts the jobs that are there from the beginning. Called once, before time passes.
  // REQUIRES: @stage lives as long as the machine.
  virtual void begin(Stage& stage) = 0;

  // For how long its author means it to play, in ns; 0 if that is not said. Tasks do not end then.
  [[nodiscard]] virtual std::uint64_t duration() const { return 0; }

  // What a reader of the figures should know: what means less here than under the program that the
  // file was written for, what was not understood and left out.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

struct WorkloadName {
  std::string_view name;
  std::string_view summary;
};

// The workloads that are known by name.
[[nodiscard]] std::vector<WorkloadName> workload_names();

// The workload of that name, or the one in a file: rt-app's JSON (*.json), or what
// `perf sched script` or `perf script` has printed of a recording. A file is what has a '/' or a
// '.' in its name. A name may have parameters, "frames:tasks=2", and several workloads may play
// together, "mp3+hogs". docs/workloads.md has it all.
[[nodiscard]] Result<std::unique_ptr<Workload>> load_workload(const std::string& file_or_name);

// The same for several runs: files are read once, for what comes through a pipe is gone then.
class WorkloadSource {
 public:
  [[nodiscard]] static Result<WorkloadSource> read(const std::string& file_or_name);

  // A new one.
  [[nodiscard]] Result<std::unique_ptr<Workload>> load() const;

 private:
  // Of those that play together.
  struct Part {
    std::string name;
    std::optional<std::string> text;  // if it is a file
  };
  std::vector<Part> parts_;
};

// Those of them that are files.
[[nodiscard]] std::vector<std::string> workload_files(const std::string& file_or_name);

}  // namespace cppland::sim
