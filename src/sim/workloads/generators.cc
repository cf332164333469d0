// SPDX-License-Identifier: GPL-2.0-only
// generators.cc - see generators.h.
#include "sim/workloads/generators.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/text.h"

namespace cppland::sim {
namespace {

constexpr std::uint64_t kMostTasks = 10'000;
constexpr std::uint64_t kMostUs = 1'000'000'000;

constexpr Setting kNice{"nice", 0, 0, 19, "of each task"};

constexpr std::array kFrames{
    Setting{"tasks", 0, 0, kMostTasks, "how many; 0: one for each 4 CPUs"},
    Setting{"hz", 60, 1, 10'000, "frames in a second"},
    Setting{"work-us", 2'000, 1, kMostUs, "work of a frame"},
    Setting{"jitter", 20, 0, 100, "percent by which the work differs at most"},
    kNice,
};
constexpr std::array kAudio{
    Setting{"tasks", 0, 0, kMostTasks, "how many; 0: one for each 8 CPUs"},
    Setting{"period-us", 5'000, 10, kMostUs, "between two buffers"},
    Setting{"work-us", 300, 1, kMostUs, "work of a buffer"},
    Setting{"jitter", 10, 0, 100, "percent by which the work differs at most"},
    kNice,
};
constexpr std::array kRequest{
    Setting{"pairs", 0, 0, kMostTasks, "how many; 0: one for each 2 CPUs"},
    Setting{"think-us", 2'000, 0, kMostUs, "that a client sleeps between requests, on average"},
    Setting{"work-us", 100, 1, kMostUs, "work of an answer"},
    kNice,
};
constexpr std::array kHackbench{
    Setting{"groups", 0, 0, kMostTasks, "how many; 0: one for each 2 CPUs"},
    Setting{"fan", 4, 1, 100, "senders in a group, and receivers"},
    Setting{"message-us", 10, 1, kMostUs, "work of sending, and of receiving"},
    Setting{"buffer", 32, 1, 100'000, "messages that wait for a receiver at most"},
};
constexpr std::array kCompile{
    Setting{"jobs", 0, 0, kMostTasks, "at a time; 0: one for each CPU"},
    Setting{"least-ms", 20, 1, 100'000, "work of the shortest job"},
    Setting{"most-ms", 300, 1, 100'000, "work of the longest job"},
    kNice,
};
constexpr std::array kHogs{
    Setting{"per-cpu", 4, 1, 1'000, "tasks for each CPU"},
    kNice,
};
constexpr std::array kForkStorm{
    Setting{"parents", 0, 0, kMostTasks, "how many; 0: one for each 4 CPUs"},
    Setting{"children", 16, 1, 1'000, "that a parent starts, and then waits for"},
    Setting{"work-us", 500, 1, kMostUs, "of a child, on average"},
    Setting{"pause-ms", 20, 0, 100'000, "of a parent, once its children have ended"},
};

constexpr std::array kGenerators{
    Generator{"frames", "tasks that make a frame 60 times a second", kFrames, begin_frames},
    Generator{"audio", "tasks that fill a buffer every 5 ms", kAudio, begin_audio},
    Generator{"request", "clients that each ask a server, and wait for its answer", kRequest,
              begin_request},
    Generator{"hackbench", "groups of senders and receivers of messages", kHackbench,
              begin_hackbench},
    Generator{"compile", "short-lived jobs that compute, and wait for files at times", kCompile,
              begin_compile},
    Generator{"hogs", "tasks that want all the time there is", kHogs, begin_hogs},
    Generator{"fork-storm", "parents that start many short-lived children", kForkStorm,
              begin_fork_storm},
};

class Generated final : public Workload {
 public:
  Generated(const Generator& generator, Settings settings)
      : generator_(generator), settings_(std::move(settings)) {}
  void begin(Stage& stage) override { generator_.begin(settings_, stage); }

 private:
  const Generator& generator_;
  Settings settings_;
};

std::string names_of(std::span<const Setting> parameters) {
  std::string names;
  for (const Setting& parameter : parameters)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", parameter.name);
  return names;
}

}  // namespace

std::uint64_t Settings::operator[](std::string_view name) const {
  return std::ranges::find(parameters_, name, &Setting::name)->value;
}

Result<void> Settings::set(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::string_view name = one.substr(0, one.find('='));
    const auto parameter = std::ranges::find(parameters_, name, &Setting::name);
    if (parameter == parameters_.end())
      return error(EINVAL, "\"{}\" is no parameter; there are {}", name, names_of(parameters_));
    const auto value =
        parse_int<std::uint64_t>(name.size() == one.size() ? "" : one.substr(name.size() + 1));
    if (!value || *value < parameter->least || *value > parameter->most)
      return error(EINVAL, "\"{}\": {} takes a number from {} to {}", one, name, parameter->least,
                   parameter->most);
    parameter->value = *value;
  }
  return {};
}

std::span<const Generator> generators() { return kGenerators; }

const Generator* find_generator(std::string_view name) {
  const auto* found = std::ranges::find(kGenerators, name, &Generator::name);
  return found == kGenerators.end() ? nullptr : found;
}

Result<std::unique_ptr<Workload>> generate(const Generator& generator, std::string_view text) {
  Settings settings(generator.parameters);
  CPPLAND_TRY(settings.set(text));
  return std::make_unique<Generated>(generator, std::move(settings));
}

std::uint64_t tasks_for(std::uint64_t wanted, std::uint64_t cpus_each, Stage& stage) {
  if (wanted > 0) return wanted;
  const std::uint64_t cpus = stage.machine().topology().nr_online();
  return std::max<std::uint64_t>(cpus / cpus_each, 1);
}

std::string numbered(std::string_view name, std::uint64_t i, std::uint64_t count) {
  return count == 1 ? std::string(name) : fmt::format("{}-{}", name, i);
}

}  // namespace cppland::sim
