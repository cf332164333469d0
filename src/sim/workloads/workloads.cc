// SPDX-License-Identifier: GPL-2.0-only
// workloads.cc - workloads by name, and out of files.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "sim/workload.h"
#include "sim/workloads/generators.h"
#include "sim/workloads/replay.h"
#include "sim/workloads/rtapp.h"
#include "sim/workloads/shipped.h"

namespace cppland::sim {
namespace {

constexpr std::size_t kLargestFile = 1U << 30U;

constexpr WorkloadName kDesktop{"desktop", "frames, audio and requests beside a compile and hogs"};
constexpr const char* kDesktopParts = "frames+audio+request+compile+hogs:per-cpu=1";

using Loaded = Result<std::unique_ptr<Workload>>;

// Several at once.
class Together final : public Workload {
 public:
  explicit Together(std::vector<std::unique_ptr<Workload>> parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Result<void> check(const Topology& topology) const override {
    for (const auto& part : parts_) CPPLAND_TRY(part->check(topology));
    return {};
  }
  void begin(Stage& stage) override {
    for (const auto& part : parts_) part->begin(stage);
  }
  [[nodiscard]] std::uint64_t duration() const override {
    std::uint64_t longest = 0;
    for (const auto& part : parts_) longest = std::max(longest, part->duration());
    return longest;
  }
  [[nodiscard]] std::vector<std::string> notes() const override {
    std::vector<std::string> all;
    for (const auto& part : parts_) std::ranges::move(part->notes(), std::back_inserter(all));
    return all;
  }

 private:
  std::vector<std::unique_ptr<Workload>> parts_;
};

bool is_file(std::string_view text) { return text.find_first_of("/.") != std::string_view::npos; }

// Of those that play together. A file may have a '+' in its name.
std::vector<std::string> names_in(const std::string& text) {
  if (is_file(text) && ::access(text.c_str(), F_OK) == 0) return {text};
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('+', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

Loaded load_text(const std::string& path, std::string_view text) {
  if (text.starts_with("PERFILE"))
    return error(EINVAL, "is a recording; print it with `perf sched script -i {} >FILE`", path);
  const std::string_view start = trim(text.substr(0, 4096));
  if (path.ends_with(".json") || start.starts_with('{')) return rtapp::load(text);
  return perf::load(text);
}

Loaded load_named(const std::string& text) {
  const std::string name = text.substr(0, text.find(':'));
  const std::string parameters = name.size() == text.size() ? "" : text.substr(name.size() + 1);
  if (const Generator* generator = find_generator(name))
    return context(generate(*generator, parameters), "workload \"{}\"", name);
  const auto shipped = std::ranges::find(shipped_files(), name, &ShippedFile::name);
  const bool is_shipped = shipped != shipped_files().end();
  if (!is_shipped && name != kDesktop.name) {
    std::string names;
    for (const WorkloadName& known : workload_names())
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    return error(EINVAL,
                 "there is no workload \"{}\"; there are {}, and files (with a / or . in "
                 "their name)",
                 name, names);
  }
  if (!parameters.empty())
    return error(EINVAL, R"(workload "{}" takes no parameters, but "{}" was given)", name,
                 parameters);
  if (is_shipped) return context(rtapp::load(shipped->text), "workload \"{}\"", name);
  return load_workload(kDesktopParts);
}

}  // namespace

std::vector<WorkloadName> workload_names() {
  std::vector<WorkloadName> names{kDesktop};
  for (const ShippedFile& file : shipped_files()) names.push_back({file.name, file.summary});
  for (const Generator& generator : generators())
    names.push_back({generator.name, generator.summary});
  return names;
}

Result<WorkloadSource> WorkloadSource::read(const std::string& file_or_name) {
  WorkloadSource source;
  const auto add = [&](const std::string& name) -> Result<void> {
    Part part{.name = name, .text = {}};
    if (is_file(name)) part.text = CPPLAND_TRY(read_file(name, kLargestFile));
    source.parts_.push_back(std::move(part));
    return {};
  };
  for (const std::string& name : names_in(file_or_name)) CPPLAND_TRY(add(name));
  return source;
}

std::vector<std::string> workload_files(const std::string& file_or_name) {
  std::vector<std::string> files = names_in(file_or_name);
  std::erase_if(files, [](const std::string& name) { return !is_file(name); });
  return files;
}

Loaded WorkloadSource::load() const {
  std::vector<std::unique_ptr<Workload>> workloads;
  workloads.reserve(parts_.size());
  for (const Part& part : parts_)
    workloads.push_back(CPPLAND_TRY(part.text
                                        ? context(load_text(part.name, *part.text), "{}", part.name)
                                        : load_named(part.name)));
  if (workloads.size() == 1) return std::move(workloads.front());
  return std::make_unique<Together>(std::move(workloads));
}

Loaded load_workload(const std::string& file_or_name) {
  return CPPLAND_TRY(WorkloadSource::read(file_or_name)).load();
}

}  // namespace cppland::sim
