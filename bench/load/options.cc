// SPDX-License-Identifier: GPL-2.0-only
// options.cc - see options.h.
#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <ranges>
#include <string_view>
#include <system_error>

#include "shares.h"

namespace cppland::load {
namespace {

constexpr int kUsageError = 2;
constexpr unsigned kMostTasks = 1000;
constexpr unsigned kMostHogs = 20'000;
constexpr double kLongestUs = 1e9;
constexpr double kLongestSeconds = 86'400;
constexpr double kMicrosecondsPerSecond = 1e6;

constexpr const char* kDescription =
    "Runs interactive tasks beside background work and measures how the kernel's scheduler treats "
    "them.\n"
    "\n"
    "frame    wakes up FRAME-HZ times a second and has its work to finish before the next time\n"
    "audio    the same with a short period\n"
    "pair     a client sends a request, a server wakes up, works and answers\n"
    "hog      a process that computes all the time; its work is counted in units of 10000 loops\n"
    "\n"
    "Work is a number of loops, not a stretch of time: a task that is preempted has as much left "
    "to do as before.\n"
    "Use the same --loops-per-us to compare two runs.\n";

// A finite number in [low, high]; CLI11's own Range accepts nan.
CLI::Validator between(double low, double high) {
  return {[low, high](const std::string& text) -> std::string {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) {
              return {};
            }
            return fmt::format("'{}' is no number from {:g} to {:g}", text, low, high);
          },
          ""};
}

// Digits only: CLI11 itself takes -1 for a large unsigned number.
CLI::Validator whole_number(std::uint64_t most) {
  return {[most](const std::string& text) -> std::string {
            std::uint64_t value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc() && end == text.data() + text.size() && value <= most) {
              return {};
            }
            return fmt::format("'{}' is no whole number from 0 to {}", text, most);
          },
          ""};
}

struct HogOptions {
  unsigned hogs = 0;
  unsigned per_cpu = 0;
  std::string nice_list;
  std::vector<int> nices;  // what the list says
};

// Fills NICES from the list; returns what is wrong with that. CLI11's own lists pass over empty
// items.
std::string read_nice_list(HogOptions& hogs) {
  for (const auto part : std::views::split(hogs.nice_list, ',')) {
    const std::string_view item(part.begin(), part.end());
    int nice = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), nice);
    if (error != std::errc() || end != item.data() + item.size()) {
      return fmt::format("--hog-nice: '{}' in '{}' is no whole number", item, hogs.nice_list);
    }
    if (nice < kLowestNice || nice > kHighestNice) {
      return fmt::format("--hog-nice: {} is not from {} to {}", nice, kLowestNice, kHighestNice);
    }
    hogs.nices.push_back(nice);
  }
  return {};
}

std::string problem_with(const Options& options, const HogOptions& hogs) {
  if (options.calibrate) {
    return {};
  }
  if (options.frames + options.audio + options.pairs + hogs.hogs + hogs.per_cpu == 0 &&
      options.background.empty()) {
    return "nothing to run: give --frames, --audio, --pairs, --hogs, --hogs-per-cpu or --with";
  }
  if (options.frame_work_us * options.frame_hz >= kMicrosecondsPerSecond) {
    return fmt::format("--frame-work-us {:g} does not fit into a period at --frame-hz {:g}",
                       options.frame_work_us, options.frame_hz);
  }
  if (options.audio_work_us >= options.audio_period_us) {
    return fmt::format("--audio-work-us {:g} does not fit into --audio-period-us {:g}",
                       options.audio_work_us, options.audio_period_us);
  }
  if (hogs.hogs != 0 && hogs.per_cpu != 0) {
    return "--hogs and --hogs-per-cpu exclude each other";
  }
  const bool no_hogs = hogs.hogs + hogs.per_cpu == 0;
  if (!hogs.nices.empty() && no_hogs) {
    return "--hog-nice needs --hogs or --hogs-per-cpu";
  }
  if (options.weights && no_hogs) {
    return "--weights needs --hogs or --hogs-per-cpu";
  }
  if (options.hog_pauses && no_hogs) {
    return "--hog-pauses needs --hogs or --hogs-per-cpu";
  }
  return {};
}

std::vector<int> nice_of_each(const HogOptions& hogs, unsigned cpus) {
  std::vector<int> each(hogs.hogs + hogs.per_cpu * cpus, 0);
  for (std::size_t i = 0; i < each.size() && !hogs.nices.empty(); ++i) {
    each[i] = hogs.nices[i % hogs.nices.size()];
  }
  return each;
}

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv, unsigned cpus) {
  Options options;
  HogOptions hogs;
  CLI::App app(kDescription, "cppland-load");
  app.get_formatter()->column_width(30);
  const auto add = [&app](const char* name, auto& value, const char* text,
                          const CLI::Validator& check) {
    app.add_option(name, value, text)->check(check)->capture_default_str()->type_name("N");
  };
  const CLI::Validator count = whole_number(kMostTasks);
  const CLI::Validator duration = between(0, kLongestUs);
  add("--frames", options.frames, "number of frame tasks", count);
  add("--frame-hz", options.frame_hz, "their wake-ups a second", between(0.1, 10'000));
  add("--frame-work-us", options.frame_work_us, "CPU time of their work, undisturbed", duration);
  add("--audio", options.audio, "number of audio tasks", count);
  add("--audio-period-us", options.audio_period_us, "their period", between(100, kLongestUs));
  add("--audio-work-us", options.audio_work_us, "CPU time of their work, undisturbed", duration);
  add("--pairs", options.pairs, "number of client and server pairs", count);
  add("--pair-think-us", options.pair_think_us, "the client's pause, give or take half of it",
      between(1, kLongestUs));
  add("--pair-work-us", options.pair_work_us, "CPU time of the server's work, undisturbed",
      duration);
  add("--hogs", hogs.hogs, "number of hogs", whole_number(kMostHogs));
  add("--hogs-per-cpu", hogs.per_cpu, "number of hogs for each CPU that this program may use",
      count);
  CLI::Option* const nice_list =
      app.add_option("--hog-nice", hogs.nice_list,
                     "nice values dealt out to the hogs in turn, such as 0,10,-10")
          ->type_name("LIST");
  app.add_option("--with", options.background,
                 "shell command to run in the background, again when it ends. It may count "
                 "finished jobs by appending "
                 "a byte each to the file $CPPLAND_LOAD_JOBS")
      ->type_name("COMMAND");
  add("--seconds", options.seconds, "how long to measure", between(0.001, kLongestSeconds));
  add("--warmup", options.warmup, "how long to run before", between(0, kLongestSeconds));
  add("--seed", options.seed, "of the tasks' first wake-ups and the clients' pauses",
      whole_number(UINT64_MAX));
  app.add_option("--loops-per-us", options.loops_per_us,
                 "loops that make one microsecond of work [measured]")
      ->check(between(0.001, 1e6))
      ->type_name("N");
  app.add_option("--json", options.json,
                 "write the figures to FILE; with '-' to stdout, instead of the table")
      ->type_name("FILE");
  app.add_flag("--weights", options.weights,
               "show each hog's share of the CPU time, and the one due to its nice value");
  app.add_flag("--hog-pauses", options.hog_pauses,
               "tell how long a hog took for a unit of work at the most, by the clock");
  app.add_flag("--calibrate", options.calibrate,
               "print this machine's loops per microsecond, and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(EarlyExit{.status = 0, .message = app.help()});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(EarlyExit{.status = kUsageError,
                                     .message = fmt::format("cppland-load: {}\n", error.what())});
  }
  std::string problem;
  if (nice_list->count() > 0) {
    problem = hogs.nice_list.empty() ? "--hog-nice takes a list" : read_nice_list(hogs);
  }
  if (problem.empty()) {
    problem = problem_with(options, hogs);
  }
  if (!problem.empty()) {
    return std::unexpected(
        EarlyExit{.status = kUsageError, .message = fmt::format("cppland-load: {}\n", problem)});
  }
  options.hog_nices = nice_of_each(hogs, cpus);
  return options;
}

}  // namespace cppland::load
