// SPDX-License-Identifier: GPL-2.0-only
// generators.h - workloads that are made by code, from a few parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sim/workload.h"

namespace cppland::sim {

struct Setting {
  std::string_view name;
  std::uint64_t value = 0;  // if none is given
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::string_view help;
};

// A generator's parameters, with their values.
class Settings {
 public:
  explicit Settings(std::span<const Setting> parameters)
      : parameters_(parameters.begin(), parameters.end()) {}

  // REQUIRES: there is such a parameter.
  [[nodiscard]] std::uint64_t operator[](std::string_view name) const;
  // Takes "tasks=4,work-us=500". EINVAL says which parameters there are.
  Result<void> set(std::string_view text);

 private:
  std::vector<Setting> parameters_;
};

struct Generator {
  std::string_view name;
  std::string_view summary;
  std::span<const Setting> parameters;
  void (*begin)(const Settings& settings, Stage& stage);
};

[[nodiscard]] std::span<const Generator> generators();

// Null if there is none of that name.
[[nodiscard]] const Generator* find_generator(std::string_view name);

// @text: the parameters that are not to have their usual values; may be empty.
[[nodiscard]] Result<std::unique_ptr<Workload>> generate(const Generator& generator,
                                                         std::string_view text);

// --- what the generators are made of ---

void begin_frames(const Settings& settings, Stage& stage);      // periodic.cc
void begin_audio(const Settings& settings, Stage& stage);       // periodic.cc
void begin_request(const Settings& settings, Stage& stage);     // messages.cc
void begin_hackbench(const Settings& settings, Stage& stage);   // messages.cc
void begin_compile(const Settings& settings, Stage& stage);     // batch.cc
void begin_hogs(const Settings& settings, Stage& stage);        // batch.cc
void begin_fork_storm(const Settings& settings, Stage& stage);  // batch.cc

// @wanted tasks, or, if that is 0, one for so many CPUs, and at least one.
[[nodiscard]] std::uint64_t tasks_for(std::uint64_t wanted, std::uint64_t cpus_each, Stage& stage);
// "frame", if there is one only, or "frame-2".
[[nodiscard]] std::string numbered(std::string_view name, std::uint64_t i, std::uint64_t count);

}  // namespace cppland::sim
