// SPDX-License-Identifier: GPL-2.0-only
// sim_options.cc - the simulator's command line.
#include "cli/sim_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/output_file.h"
#include "cli/sim_topology.h"
#include "cli/validators.h"
#include "sim/workload.h"

namespace cppland::cli {
namespace {

constexpr unsigned kUsualCpus = 4;
constexpr std::uint64_t kUsualSeeds = 5;  // of a comparison
constexpr std::uint64_t kMostSeeds = 1000;
constexpr std::size_t kColumn = 30;

// As the flags have it.
struct Raw {
  std::string policy;
  std::vector<std::string> compare;
  std::string workload;
  std::optional<unsigned> cpus;
  std::string topology;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> seeds;
  std::optional<double> seconds;
  std::vector<std::string> settings;
  std::string json;
  std::string trace;
  bool one_agent = false;
  bool strict = false;
  bool list = false;
  bool version = false;
};

CLI::Validator duration() {
  return {[](std::string& text) -> std::string {
            double value = 0;
            const auto [end, status] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (status == std::errc{} && end == text.data() + text.size() && value >= 0.001 &&
                value <= kLongestSeconds)
              return {};
            return fmt::format("\"{}\" is no number of seconds from 0.001 to {:.0f}", text,
                               kLongestSeconds);
          },
          fmt::format("0.001 to {:.0f}", kLongestSeconds)};
}

CLI::Validator one_of(std::vector<std::string> names) {
  return {[names = std::move(names)](std::string& text) -> std::string {
            if (std::ranges::find(names, text) != names.end()) return {};
            return fmt::format("there is no policy \"{}\"; there are {}", text,
                               fmt::join(names, ", "));
          },
          ""};
}

std::vector<std::string> policy_names(const SchedulerInfo& info) {
  std::vector<std::string> names;
  for (const PolicyEntry& entry : info.policies) names.emplace_back(entry.name);
  return names;
}

std::string parameter_help() {
  std::string text = "Parameters (--set NAME=VALUE, with default and where that comes from):\n";
  for (const sim::Parameter& parameter : sim::all_parameters())
    text += fmt::format("  {:<{}}{}, {} to {}: {}\n{:{}}{}\n", parameter.name, kColumn - 2,
                        parameter.default_value(), parameter.least, parameter.most,
                        parameter.summary, "", kColumn, parameter.source);
  return text;
}

void add_flags(CLI::App& app, const SchedulerInfo& info, Raw& raw) {
  const auto policy = one_of(policy_names(info));
  app.add_option("--policy", raw.policy, "Who decides")
      ->check(policy)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--workload", raw.workload,
                 "What there is to do: one of --list, or a file (with a '/' or '.' in its name): "
                 "rt-app's JSON, or what `perf sched script` prints of a recording")
      ->type_name("FILE|NAME");
  app.add_option("--cpus", raw.cpus,
                 fmt::format("Number of CPUs (default: {}, or what --topology makes)", kUsualCpus))
      ->transform(number(1, kMostCpus))
      ->type_name("N");
  app.add_option("--topology", raw.topology,
                 "How the CPUs are arranged: sockets, cores in each, threads in each core, NUMA "
                 "nodes, last-level caches (llcs) in each socket, and how many of the cores are "
                 "little, half as fast; what is left out is 1, and little 0")
      ->type_name("sockets=S,cores=C,threads=T,nodes=N,llcs=L,little=K");
  app.add_flag("--one-agent", raw.one_agent,
               "One agent that decides for all CPUs, and not one for each last-level cache that is "
               "shared by 4 CPUs or more");
  app.add_flag("--strict", raw.strict,
               "Ask the agent about every choice, as for a policy that says it is strict");
  app.add_option("--seed", raw.seed, "Of the workload's chance: the same seed is the same run")
      ->transform(number(0, UINT32_MAX))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--seeds", raw.seeds,
                 fmt::format("How many seeds, from --seed on (default: 1, or {} with --compare)",
                             kUsualSeeds))
      ->transform(number(1, kMostSeeds))
      ->type_name("N");
  app.add_option(
         "--duration", raw.seconds,
         "How long, in the machine's time (seconds; default: what the workload says, or 10)")
      ->transform(duration())
      ->type_name("SEC");
  app.add_option("--set", raw.settings, "Sets a parameter, one of those below")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  app.add_option("--compare", raw.compare,
                 "Other policies to run as well: all side by side, with confidence intervals")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(policy)
      ->type_name("P2[,P3...]");
  app.add_option("--json", raw.json,
                 "Writes the figures of all runs to a file; \"-\": to stdout, without a table")
      ->type_name("FILE");
  app.add_option("--trace", raw.trace,
                 "Writes who ran where and when to a file, for https://ui.perfetto.dev; for one "
                 "policy and one seed")
      ->type_name("FILE");
  app.add_flag("--list", raw.list, "List policies and workloads, and exit");
  app.add_flag("-V,--version", raw.version, "Print name and version, and exit");
  app.footer(parameter_help() +
             "\nStatus 1: something failed, or the modelled kernel ended the scheduler; status 2: "
             "the command\nline makes no sense.");
}

std::string list(const SchedulerInfo& info) {
  std::string text = "Policies:\n";
  for (const PolicyEntry& entry : info.policies)
    text += fmt::format("  {:<{}}{}\n", entry.name, kColumn - 2, entry.summary);
  text += "\nWorkloads:\n";
  for (const sim::WorkloadName& workload : sim::workload_names())
    text += fmt::format("  {:<{}}{}\n", workload.name, kColumn - 2, workload.summary);
  return text;
}

// Files are for those to read who simulate.
Result<void> check_workload(const std::string& name) {
  if (name.empty()) return error(EINVAL, "--workload is missing: one of --list, or a file");
  if (name.find_first_of("/.") == std::string::npos)
    CPPLAND_TRY(context(sim::load_workload(name), "--workload"));
  return {};
}

std::optional<std::uint64_t> in_ns(std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  return static_cast<std::uint64_t>(*seconds * 1e9);
}

Result<std::vector<PolicyEntry>> chosen_policies(const SchedulerInfo& info, const Raw& raw) {
  std::vector<PolicyEntry> chosen;
  const auto choose = [&](const std::string& name) {
    chosen.push_back(*std::ranges::find(info.policies, name, &PolicyEntry::name));
  };
  choose(raw.policy);
  for (const std::string& name : raw.compare) {
    if (std::ranges::find(chosen, name, &PolicyEntry::name) != chosen.end())
      return error(EINVAL, "--compare: {} is there twice", name);
    choose(name);
  }
  return chosen;
}

Result<sim::Parameters> chosen_parameters(const Raw& raw) {
  sim::Parameters parameters;
  for (const std::string& setting : raw.settings)
    CPPLAND_TRY(context(sim::set_parameter(parameters, setting), "--set"));
  if (!raw.one_agent) parameters.machine.cpus_per_agent = kLeastDomainCpus;
  parameters.machine.strict = raw.strict;
  const PolicyConfig& policy = parameters.policy;
  if (policy.slice_min_ns > policy.slice_ns)
    return error(EINVAL, "--set: slice-us-min ({}) is greater than slice-us ({})",
                 policy.slice_min_ns / 1000, policy.slice_ns / 1000);
  return parameters;
}

Result<Topology> chosen_topology(const Raw& raw) {
  const bool usual = !raw.cpus && raw.topology.empty();
  return context(make_topology(raw.topology, usual ? kUsualCpus : raw.cpus), "--topology {}",
                 raw.topology);
}

// Nobody means to write over what is simulated.
Result<void> keep_workload(const Raw& raw) {
  for (const std::string& file : sim::workload_files(raw.workload)) {
    for (const auto& [flag, path] :
         {std::pair("--json", &raw.json), std::pair("--trace", &raw.trace)}) {
      if (!path->empty() && OutputFile::place_of(*path) == OutputFile::place_of(file))
        return error(EINVAL, "{} and --workload name the same file", flag);
    }
  }
  return {};
}

Result<SimOptions> make_sense(const SchedulerInfo& info, const Raw& raw) {
  CPPLAND_TRY(check_workload(raw.workload));
  // Each by itself: GCC 12 forgets to destroy what an initializer has made when it is left.
  auto policies = CPPLAND_TRY(chosen_policies(info, raw));
  Topology topology = CPPLAND_TRY(chosen_topology(raw));
  const sim::Parameters parameters = CPPLAND_TRY(chosen_parameters(raw));
  SimOptions options{.policies = std::move(policies),
                     .workload = raw.workload,
                     .topology = std::move(topology),
                     .first_seed = raw.seed,
                     .seeds = raw.seeds.value_or(raw.compare.empty() ? 1 : kUsualSeeds),
                     .duration_ns = in_ns(raw.seconds),
                     .parameters = parameters,
                     .json = raw.json,
                     .trace = raw.trace};
  if (!raw.trace.empty() && options.policies.size() * options.seeds > 1)
    return error(EINVAL, "--trace is of one run: leave out --compare and --seeds");
  if (raw.trace == "-") return error(EINVAL, "--trace needs a file: \"-\" is of --json only");
  CPPLAND_TRY(keep_workload(raw));
  if (!raw.trace.empty() && !raw.json.empty() &&
      OutputFile::place_of(raw.trace) == OutputFile::place_of(raw.json))
    return error(EINVAL, "--trace and --json name the same file");
  return options;
}

}  // namespace

std::expected<SimOptions, Goodbye> parse_sim_options(const SchedulerInfo& info, int argc,
                                                     const char* const* argv) {
  Raw raw{.policy = std::string(info.policies.front().name)};
  CLI::App app(
      "Runs a policy in the simulator: the dispatcher, the agent and the policy as they are, on a "
      "model\nof a machine with Linux, and tells how it did.",
      std::string(info.name));
  app.get_formatter()->column_width(kColumn);
  add_flags(app, info, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Goodbye{app.help(), 0});
  } catch (const CLI::ParseError& wrong) {
    return std::unexpected(refuse(info, in_words(wrong)));
  }
  if (raw.version)
    return std::unexpected(Goodbye{fmt::format("{} version {}\n", info.name, info.version), 0});
  if (raw.list) return std::unexpected(Goodbye{list(info), 0});
  auto options = make_sense(info, raw);
  if (!options) return std::unexpected(refuse(info, options.error().tried()));
  return std::move(*options);
}

}  // namespace cppland::cli
