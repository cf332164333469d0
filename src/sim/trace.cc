// SPDX-License-Identifier: GPL-2.0-only
// trace.cc - who ran where and when, for chrome://tracing and ui.perfetto.dev.
#include "sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace cppland::sim {
namespace {

constexpr int kProcess = 1;  // all tracks are of one

std::string json_string(std::string_view text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// Nanoseconds as the format's microseconds.
struct Us {
  std::uint64_t ns;
};

}  // namespace
}  // namespace cppland::sim

template <>
struct fmt::formatter<cppland::sim::Us> {
  static constexpr auto parse(format_parse_context& context) { return context.begin(); }
  static auto format(cppland::sim::Us time, format_context& context) {
    return fmt::format_to(context.out(), "{}.{:03}", time.ns / 1000, time.ns % 1000);
  }
};

namespace cppland::sim {
namespace {

template <typename... Args>
void print(OutputFile& file, fmt::format_string<Args...> format, Args&&... args) {
  fmt::basic_memory_buffer<char, 256> line;
  fmt::format_to(std::back_inserter(line), format, std::forward<Args>(args)...);
  file.write({line.data(), line.size()});
}

}  // namespace

const std::string& TraceWriter::name_of(const Task& task) {
  const auto i = static_cast<std::size_t>(task.pid);
  if (i >= names_.size()) names_.resize(i + 1);
  if (names_[i].empty()) names_[i] = json_string(task.name);
  return names_[i];
}

void TraceWriter::begin(const Machine& machine, std::string_view policy,
                        std::string_view workload) {
  begin_ = machine.now();
  running_.assign(machine.topology().nr_cpu_ids(), {});
  print(file_,
        R"({{"displayTimeUnit":"ns","traceEvents":[)"
        "\n"
        R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})",
        kProcess, json_string(fmt::format("{}, policy {}", workload, policy)));
  for (const Cpu& cpu : machine.topology().cpus()) {
    print(file_,
          ",\n"
          R"({{"ph":"M","name":"thread_name","pid":{0},"tid":{1},"args":{{"name":"CPU {1}"}}}})",
          kProcess, cpu.id);
    print(
        file_,
        ",\n"
        R"({{"ph":"M","name":"thread_sort_index","pid":{0},"tid":{1},"args":{{"sort_index":{1}}}}})",
        kProcess, cpu.id);
  }
}

void TraceWriter::woke(const Task& task, std::uint64_t at) {
  print(
      file_,
      ",\n"
      R"({{"ph":"i","s":"t","cat":"wakeup","name":{},"pid":{},"tid":{},"ts":{},"args":{{"task":{}}}}})",
      name_of(task), kProcess, task.on_cpu, Us{at - begin_}, task.pid);
}

void TraceWriter::began(const Task& task, int cpu, std::uint64_t at) {
  running_[static_cast<std::size_t>(cpu)] = {&task, at};
}

// A task that was taken off before it had got anywhere has no slice.
void TraceWriter::ended(const Task& task, int cpu, std::uint64_t at) {
  const auto [none, from] = std::exchange(running_[static_cast<std::size_t>(cpu)], {});
  if (at <= from) return;
  print(
      file_,
      ",\n"
      R"({{"ph":"X","cat":"task","name":{},"pid":{},"tid":{},"ts":{},"dur":{},"args":{{"task":{}}}}})",
      name_of(task), kProcess, cpu, Us{from - begin_}, Us{at - from}, task.pid);
}

void TraceWriter::end(std::uint64_t now) {
  for (std::size_t cpu = 0; cpu < running_.size(); ++cpu) {
    if (running_[cpu].task) ended(*running_[cpu].task, static_cast<int>(cpu), now);
  }
  file_.write("\n]}\n");
}

}  // namespace cppland::sim
