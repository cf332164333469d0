// SPDX-License-Identifier: GPL-2.0-only
// main.cc - cppland-load: a synthetic workload that measures how it is scheduled.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/result.h"
#include "report.h"
#include "work.h"

namespace {

using namespace cppland::load;

constexpr int kFailure = 1;
constexpr int kSignalled = 128;

int fail(const std::string& message) {
  fmt::print(stderr, "cppland-load: {}\n", message);
  return kFailure;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Figures that got lost on a full disk must not pass for a success.
bool print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

int cannot_print() { return fail(cppland::Error(errno, "writing to stdout").message()); }

int measure(const Options& options, unsigned cpus) {
  const auto cannot_write = [&] {
    return fail(cppland::Error(errno, fmt::format("writing '{}'", options.json)).message());
  };
  // Opened first: nobody should wait for figures that cannot be written.
  std::unique_ptr<std::FILE, CloseFile> json;
  if (!options.json.empty() && options.json != "-") {
    json.reset(std::fopen(options.json.c_str(), "we"));
    if (json == nullptr) {
      return cannot_write();
    }
  }
  const auto figures = run(options, cpus);
  if (!figures) {
    return fail(figures.error().message());
  }
  const std::string text = to_json(*figures, options).dump() + "\n";
  if (json != nullptr &&
      (std::fputs(text.c_str(), json.get()) < 0 || std::fflush(json.get()) != 0)) {
    return cannot_write();
  }
  if (!print(options.json == "-" ? text : to_table(*figures, options))) {
    return cannot_print();
  }
  if (figures->background.failed > 0) {
    return fail(
        fmt::format("the background command failed {} times: its work is not what was meant",
                    figures->background.failed));
  }
  return figures->signal == 0 ? 0 : kSignalled + figures->signal;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const unsigned cpus = usable_cpus();
    const auto options = parse_options(argc, argv, cpus);
    if (!options && options.error().status != 0) {
      fmt::print(stderr, "{}", options.error().message);
      return options.error().status;
    }
    if (!options) {
      return print(options.error().message) ? 0 : cannot_print();
    }
    if (options->calibrate) {
      return print(fmt::format("{:.3f}\n", calibrate_loops_per_us())) ? 0 : cannot_print();
    }
    return measure(*options, cpus);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
