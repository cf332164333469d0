// SPDX-License-Identifier: GPL-2.0-only
// main.cc - cppland-chaos: many chaotic runs, one for each seed (see --help).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "policies/table.h"
#include "sim/chaos/world.h"

namespace cppland::sim {
namespace {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 300;
};

// "7" or "1-300".
Result<Seeds> parse_seeds(const std::string& text) {
  const auto dash = text.find('-');
  const auto first = parse_int<std::uint64_t>(text.substr(0, dash));
  const auto last =
      dash == std::string::npos ? first : parse_int<std::uint64_t>(text.substr(dash + 1));
  if (!first || !last || *first > *last)
    return error(EINVAL, "--seeds is \"{}\", but must be a seed or FIRST-LAST", text);
  return Seeds{*first, *last};
}

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  for (const PolicyEntry& entry : policies::all()) names.emplace_back(entry.name);
  return names;
}

// What is wrong, whatever the figures are.
std::string kind_of(std::string wrong) {
  std::erase_if(wrong, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
  return wrong;
}

// Tells of a failure, and keeps the smallest plan that fails so.
int tell(const ChaosPlan& plan, const std::string& wrong, const std::string& keep) {
  fmt::print("FAIL seed {} ({}): {}\n", plan.seed, plan.policy, wrong);
  std::fflush(stdout);  // what follows takes a while
  const std::string kind = kind_of(wrong);
  const ChaosPlan small =
      shrink(plan, [&](const ChaosPlan& less) { return kind_of(run_chaos(less)) == kind; });
  const std::string path = fmt::format("{}/seed-{}.json", keep, plan.seed);
  fmt::print("the smallest plan that fails: {} tasks, {} disturbances, {} us: {}\n",
             small.tasks.size(), small.steps.size(), small.duration_us, run_chaos(small));
  if (const auto written = write_file(path, to_json(small)); !written) {
    fmt::print(stderr, "cppland-chaos: {}\n", written.error());
    return 1;
  }
  fmt::print("kept as {}; see it again with --replay {}\n", path, path);
  return 1;
}

int run_seeds(const Seeds& seeds, const std::string& keep) {
  const auto policies = policy_names();
  for (std::uint64_t seed = seeds.first;; ++seed) {
    const ChaosPlan plan = draw_plan(seed, policies);
    if (const std::string wrong = run_chaos(plan); !wrong.empty()) return tell(plan, wrong, keep);
    if (seed == seeds.last) break;  // which may be the last there is
  }
  fmt::print("{} seeds, no promise broken\n", seeds.last - seeds.first + 1);
  return 0;
}

int replay(const std::string& path, bool tells) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path))
      files.push_back(entry.path());
  } else {
    files.emplace_back(path);
  }
  if (files.empty()) {
    fmt::print(stderr, "cppland-chaos: {} has no plans in it\n", path);
    return 1;
  }
  std::ranges::sort(files);
  int status = 0;
  for (const auto& file : files) {
    const auto text = read_file(file.string());
    const auto plan = text ? plan_from_json(*text) : std::unexpected(text.error());
    if (!plan) {
      fmt::print(stderr, "cppland-chaos: {}: {}\n", file.string(), plan.error());
      return 1;
    }
    const std::string wrong = run_chaos(*plan, tells);
    fmt::print("{} {}{}\n", wrong.empty() ? "ok" : "FAIL", file.string(),
               wrong.empty() ? "" : ": " + wrong);
    if (!wrong.empty()) status = 1;
  }
  return status;
}

int run(int argc, char** argv) {
  std::string seeds = "1-300";
  std::string file;
  std::string keep = ".";
  bool tells = false;
  CLI::App app(
      "Runs the dispatcher, an agent and a policy on a simulated machine where things go wrong at "
      "random, and looks after each event whether a promise is broken.",
      "cppland-chaos");
  auto* const which = app.add_option("--seeds", seeds, "One run for each: a seed, or FIRST-LAST")
                          ->capture_default_str()
                          ->type_name("SEEDS");
  app.add_option("--keep", keep,
                 "Where the plan of a run that failed is kept, made as small as it can be")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  auto* const replayed =
      app.add_option("--replay", file, "Run this plan instead, or all of a folder")
          ->check(CLI::ExistingPath)
          ->excludes(which)
          ->type_name("FILE");
  app.add_flag("--tell", tells, "With --replay: print all that happens")->needs(replayed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& wrong) {
    fmt::print(stderr, "cppland-chaos: {}\nTry 'cppland-chaos --help'.\n", wrong.what());
    return 2;
  }
  if (!file.empty()) return replay(file, tells);
  const auto range = parse_seeds(seeds);
  if (!range) {
    fmt::print(stderr, "cppland-chaos: {}\n", range.error().tried());
    return 2;
  }
  return run_seeds(*range, keep);
}

}  // namespace
}  // namespace cppland::sim

int main(int argc, char** argv) {
  try {
    return cppland::sim::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cppland-chaos: %s\n", error.what());
    return 1;
  }
}
