// SPDX-License-Identifier: GPL-2.0-only
// options.cc - the scheduler's command line.
#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "cli/validators.h"

namespace cppland::cli {
namespace {

constexpr std::uint64_t kLongestSliceUs = 1'000'000;
constexpr std::uint32_t kShortestWaitMs = 10;
constexpr std::uint32_t kLongestWaitMs = 2000;
constexpr std::uint32_t kLongestDump = 16U << 20U;

std::string policy_help(const SchedulerInfo& info) {
  std::string text = "Who decides:";
  for (const PolicyEntry& entry : info.policies)
    text += fmt::format("\n{}: {}", entry.name, entry.summary);
  return text;
}

void add_flags(CLI::App& app, const SchedulerInfo& info, Options& options,
               std::string& kconfig_file) {
  const auto slice = number(1, kLongestSliceUs);
  app.add_option(
         "-s,--slice-us", options.slice_us,
         "Slice: how far a sleeper may fall behind, and a CPU hog drift back (microseconds)")
      ->transform(slice)
      ->capture_default_str()
      ->type_name("US");
  app.add_option("-S,--slice-us-min", options.slice_min_us,
                 "Slice of a task of weight 100, and of tasks that are placed without the policy "
                 "(microseconds; no slice is longer than 100 ms)")
      ->transform(slice)
      ->capture_default_str()
      ->type_name("US");
  if (info.policies.size() > 1) {
    std::vector<std::string> names;
    for (const PolicyEntry& entry : info.policies) names.emplace_back(entry.name);
    app.add_option("--policy", options.policy, policy_help(info))
        ->check(CLI::IsMember(names))
        ->capture_default_str()
        ->type_name("NAME");
  }
  app.add_flag("-l,--percpu-local", options.percpu_local,
               "Tasks that may run on one CPU only go straight to that CPU");
  app.add_flag("-n,--numa-local", options.numa_local,
               "Prefer an idle CPU of the task's preferred NUMA node");
  app.add_flag("-p,--partial", options.partial,
               "Schedule only tasks with the policy SCHED_EXT (and the scheduler itself)");
  app.add_flag(
      "--one-agent", options.one_agent,
      "One thread that decides for all CPUs, and not one for each last-level cache that is "
      "shared by 4 CPUs or more");
  app.add_option("--max-wait-ms", options.max_wait_ms,
                 "Longest that a task waits for its policy, which forgot it: then it is next "
                 "(milliseconds). An agent that does not answer for 20 ms, or this if it is less, "
                 "is gone on without")
      ->transform(number(kShortestWaitMs, kLongestWaitMs))
      ->capture_default_str()
      ->type_name("MS");
  app.add_option("--exit-dump-len", options.exit_dump_len,
                 "Size of the debug dump that the kernel makes when it ends the scheduler for an "
                 "error (bytes); 0: the kernel's default, 32768")
      ->transform(number(0, kLongestDump))
      ->capture_default_str()
      ->type_name("BYTES");
  auto* const upgrade = app.add_flag(
      "--upgrade", options.upgrade,
      "Take over from the scheduler of ours that runs, of another version or policy, say, which "
      "then ends with status 0. Tasks are scheduled all the while. If this one does not come to "
      "decide within a second or two, that one goes on. If none runs, this one starts as usual");
  app.add_flag("--force", options.force,
               "With --upgrade, if the one that runs cannot be taken over: end it, and start anew. "
               "In between the kernel schedules")
      ->needs(upgrade);
  app.add_flag(
      "--no-sandbox", options.no_sandbox,
      "Give up neither system calls nor the main thread's privileges when it schedules: for "
      "tests, and kernels without seccomp. Agents never have capabilities");
  app.add_flag("-v,--verbose", options.verbose,
               "Show libbpf's messages, and scheduling events in the kernel's trace pipe");

  auto& bpf = options.libbpf;
  constexpr const char* kGroup = "Libbpf options";
  app.add_flag("--relaxed-maps", bpf.relaxed_maps, "Accept unknown attributes in map definitions")
      ->group(kGroup);
  app.add_option("--pin-root-path", bpf.pin_root_path, "Folder under which maps are pinned")
      ->group(kGroup)
      ->type_name("DIR");
  app.add_option("--kconfig", kconfig_file,
                 "File with kernel configuration to add to the running kernel's")
      ->group(kGroup)
      ->type_name("FILE");
  app.add_option("--btf-custom-path", bpf.btf_custom_path,
                 "Kernel type information to relocate against")
      ->group(kGroup)
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  app.add_option("--bpf-token-path", bpf.bpf_token_path, "BPF file system to make a BPF token from")
      ->group(kGroup)
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  app.footer(
      "Environment:\n"
      "  SCX_TIMEOUT_MS              The kernel watchdog's timeout (milliseconds, 1000 to 30000;\n"
      "                              default 5000)\n\n"
      "Ends with SIGINT, SIGTERM or SIGHUP, with status 0. Status 1: it failed or the kernel ended "
      "it\n"
      "for an error; status 2: the command line makes no sense.");
}

Result<void> read_timeout(Options& options) {
  constexpr std::uint32_t kLeast = 1000;
  constexpr std::uint32_t kMost = 30000;  // the kernel's own limit
  const char* text =
      std::getenv("SCX_TIMEOUT_MS");  // NOLINT(concurrency-mt-unsafe): no threads yet
  if (!text) return {};
  const auto value = parse_int<std::uint32_t>(text);
  if (!value || *value < kLeast || *value > kMost)
    return error(EINVAL,
                 "SCX_TIMEOUT_MS is \"{}\", but must be a number of milliseconds from {} to {}",
                 text, kLeast, kMost);
  options.timeout_ms = *value;
  return {};
}

}  // namespace

std::string version_line(const SchedulerInfo& info) {
  return fmt::format("{} version {} {}", info.name, info.version, live::target());
}

std::expected<Options, Goodbye> parse_options(const SchedulerInfo& info, int argc,
                                              const char* const* argv) {
  Options options;
  options.policy = info.policies.front().name;
  std::string kconfig_file;
  bool version = false;
  CLI::App app(
      "Schedules this machine: the kernel holds the tasks, this program decides who runs next.",
      std::string(info.name));
  app.get_formatter()->column_width(30);
  app.add_flag("-V,--version", version, "Print name, version and target, and exit");
  add_flags(app, info, options, kconfig_file);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Goodbye{app.help(), 0});
  } catch (const CLI::ParseError& wrong) {
    return std::unexpected(refuse(info, in_words(wrong)));
  }
  if (version) return std::unexpected(Goodbye{version_line(info) + "\n", 0});
  if (options.slice_min_us > options.slice_us)
    return std::unexpected(
        refuse(info, fmt::format("--slice-us-min ({}) is greater than --slice-us ({})",
                                 options.slice_min_us, options.slice_us)));
  if (!kconfig_file.empty()) {
    auto text = read_file(kconfig_file);
    if (!text) return std::unexpected(refuse(info, fmt::format("--kconfig: {}", text.error())));
    options.libbpf.kconfig = std::move(*text);
  }
  if (const auto timeout = read_timeout(options); !timeout)
    return std::unexpected(refuse(info, timeout.error().tried()));
  if (options.max_wait_ms > options.timeout_ms / 2)
    return std::unexpected(refuse(
        info, fmt::format("--max-wait-ms ({}) is more than half of the watchdog's timeout ({} ms, "
                          "SCX_TIMEOUT_MS)",
                          options.max_wait_ms, options.timeout_ms)));
  return options;
}

}  // namespace cppland::cli
