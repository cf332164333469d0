// SPDX-License-Identifier: GPL-2.0-only
// sim.cc - simulate_main(): from the command line to the exit status.
#include <cppland/simulate.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/output_file.h"
#include "cli/exit_status.h"
#include "cli/sim_options.h"
#include "cli/sim_progress.h"
#include "cli/sim_runs.h"
#include "cli/sim_stop.h"
#include "policies/table.h"
#include "sim/report.h"
#include "sim/report_comparison.h"

namespace cppland {
namespace {

using cli::SimOptions;

// Figures that got lost on a full disk must not pass for a success.
Result<void> print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return {};
  return error(errno, "write to stdout");
}

std::string told(const Error& error) {
  return error.code() == EINVAL ? error.tried() : error.message();
}

int fail(const SchedulerInfo& info, std::string_view message) {
  fmt::print(stderr, "{}: {}\n", info.name, message);
  return cli::kFailure;
}

// Those of the program, and those that come with cppland under other names.
std::vector<PolicyEntry> all_policies(const SchedulerInfo& info) {
  std::vector<PolicyEntry> all(info.policies.begin(), info.policies.end());
  for (const PolicyEntry& entry : policies::all()) {
    if (std::ranges::find(all, entry.name, &PolicyEntry::name) == all.end()) all.push_back(entry);
  }
  return all;
}

Result<std::optional<OutputFile>> create(const std::string& path) {
  if (path.empty() || path == "-") return std::nullopt;
  return CPPLAND_TRY(OutputFile::create(path));
}

std::string table(const std::vector<sim::RunFigures>& runs) {
  return runs.size() == 1 ? to_table(runs.front()) : to_table(sim::compare(runs), runs.front());
}

// A name in a file may be no UTF-8.
std::string json_text(const std::vector<sim::RunFigures>& runs) {
  using Json = nlohmann::ordered_json;
  return to_json(std::span(runs)).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Where the results go to. Made before the first run: nobody should wait for figures that cannot
// be written.
struct Outputs {
  std::optional<OutputFile> json;
  std::optional<OutputFile> trace;

  static Result<Outputs> create(const SimOptions& options) {
    return Outputs{CPPLAND_TRY(cppland::create(options.json)),
                   CPPLAND_TRY(cppland::create(options.trace))};
  }
};

// In their places only when nothing can go wrong any more.
Result<void> write(Outputs& outputs, const SimOptions& options,
                   const std::vector<sim::RunFigures>& runs) {
  const std::string json = options.json.empty() ? std::string() : json_text(runs);
  if (outputs.json) outputs.json->write(json);
  for (auto* output : {&outputs.trace, &outputs.json}) {
    if (*output) CPPLAND_TRY((*output)->finish());
  }
  CPPLAND_TRY(print(options.json == "-" ? json : table(runs)));
  for (auto* output : {&outputs.trace, &outputs.json}) {
    if (*output) CPPLAND_TRY((*output)->commit());
  }
  return {};
}

// A file that is opened must not become stdin, stdout or stderr, and take what is printed there.
void occupy_standard_files() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // the lowest is free
  }
}

// The runs; without a value if a signal has ended them.
Result<std::optional<std::vector<sim::RunFigures>>> run(const SimOptions& options, Outputs& outputs,
                                                        const cli::StopRequests& requests) {
  std::optional<sim::TraceWriter> trace;
  if (outputs.trace) trace.emplace(*outputs.trace);
  cli::Progress progress;
  auto runs = run_all(options, trace ? &*trace : nullptr, [&](std::string_view what, double done) {
    progress.show(what, done);
    return requests.signal() == 0;
  });
  if (runs) return std::move(*runs);
  if (requests.signal() != 0) return std::nullopt;
  if (outputs.trace && outputs.trace->failed()) CPPLAND_TRY(outputs.trace->commit());  // says why
  return std::unexpected(runs.error());
}

Result<int> simulate(const SchedulerInfo& info, SimOptions& options) {
  for (const std::string& note : CPPLAND_TRY(prepare(options)))
    fmt::print(stderr, "{}: note: {}\n", info.name, note);
  const cli::StopRequests requests;
  const cli::ThrowIsAMessage throw_is_a_message(info.name);
  Outputs outputs = CPPLAND_TRY(Outputs::create(options));
  const auto runs = CPPLAND_TRY(run(options, outputs, requests));
  if (!runs) return cli::kSignalled + requests.signal();
  CPPLAND_TRY(write(outputs, options, *runs));
  int status = 0;
  for (const sim::RunFigures& each : *runs) {
    if (each.exit.kind != sim::Exit::kNone) status = fail(info, exit_line(each));
  }
  return status;
}

int simulate_or_say_why_not(const SchedulerInfo& info, int argc, char** argv) {
  const std::vector<PolicyEntry> policies = all_policies(info);
  const SchedulerInfo all{info.name, info.version, policies};
  auto options = cli::parse_sim_options(all, argc, argv);
  if (!options && options.error().status != 0) {
    fmt::print(stderr, "{}", options.error().text);
    return options.error().status;
  }
  if (!options) {
    const auto printed = print(options.error().text);
    return printed ? 0 : fail(info, told(printed.error()));
  }
  const auto status = simulate(info, *options);
  return status ? *status : fail(info, told(status.error()));
}

}  // namespace

int simulate_main(const SchedulerInfo& info, int argc, char** argv) {
  occupy_standard_files();
  try {
    return simulate_or_say_why_not(info, argc, argv);
  } catch (const std::exception& wrong) {  // no memory
    return fail(info, wrong.what());
  }
}

}  // namespace cppland
